/** The proposals that somebody has still to answer or to do, by conflict: whose turn it is, and for how long yet. */
import { get, type Schemas } from "../../api/client";
import { t } from "../../i18n/index.svelte";
import { picture } from "../../state/picture.svelte";
import { isolate } from "../alarmWords";
import { countdown } from "../ladder/rungs";
import type { Proposal } from "./advice";

export interface Turn {
  /** Whether this side has to do something. */
  ours: boolean;
  over: boolean;
  text: string;
  /** How long there is yet, or since; empty where no time runs. */
  left: string;
}

/** Whose turn it is with a proposal; null where nobody is waited for. */
export function turnOf(row: Proposal, now: number): Turn | null {
  const answer = row.state === "proposed" || row.state === "unanswered";
  if (!answer && row.state !== "accepted" && row.state !== "not-kept") return null;
  const due = answer ? row.due : row.kept_due;
  const seconds = due === null ? null : (Date.parse(due) - now) / 1000;
  const over = row.state === "unanswered" || row.state === "not-kept" || (seconds !== null && seconds < 0);
  const ours = answer ? row.ours_to_answer : row.ours_to_keep !== null;
  const party = isolate(picture.nameOf(answer ? (ours ? row.party : row.to) : picture.head?.party === row.party ? row.to : row.party));
  const text = answer
    ? t(ours ? "lists.turn-answer" : row.answer_waits ? "lists.turn-answer-waits" : "lists.turn-answer-theirs", { party })
    : t(ours ? "lists.turn-amend" : "lists.turn-amend-theirs", { id: isolate(row.ours_to_keep ?? ""), party });
  return { ours, over, text, left: seconds === null ? "" : t(over ? "lists.turn-over" : "lists.turn-left", { time: countdown(seconds) }) };
}

/** What waits for us first, then what has the least time. */
export function firstOf(rows: readonly Proposal[]): Proposal | null {
  const ours = (row: Proposal): number => Number(row.ours_to_answer || row.ours_to_keep !== null);
  const due = (row: Proposal): string => (row.answer ? row.kept_due : row.due) ?? "9";
  return rows.toSorted((a, b) => ours(b) - ours(a) || (due(a) < due(b) ? -1 : due(a) > due(b) ? 1 : 0))[0] ?? null;
}

export class OpenProposals {
  /** One for each conflict that has any. */
  byConflict = $state.raw<ReadonlyMap<string, Proposal>>(new Map());

  /** Keeps them up to date for as long as an effect lives; call it while one is made. */
  follow(): void {
    const changed = $derived(picture.started ? `${picture.head?.heard.proposals} ${picture.head?.lines.map((line) => `${line.state}${line.waiting}`).join()}` : null);
    $effect(() => {
      if (changed === null) return;
      let gone = false;
      get<Schemas["ProposalList"]>("proposals", { unfinished: true }).then(
        ({ proposals }) => {
          if (gone) return;
          const conflicts = new Set(proposals.map((row) => row.conflict));
          this.byConflict = new Map([...conflicts].map((id) => [id, firstOf(proposals.filter((row) => row.conflict === id))!]));
        },
        () => {}, // the conflict itself says what is wrong; the list is right about all the rest
      );
      return () => (gone = true);
    });
  }
}
