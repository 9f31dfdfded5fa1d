/** What would clear a conflict, and what was proposed about it, in words. Nothing here knows whose side it is on. */
import { session } from "../../state/session.svelte";
import type { Schemas } from "../../api/client";
import { bearing } from "../../geo/position";
import { i18n, t } from "../../i18n/index.svelte";
import { duration } from "../../lib/time";
import { picture } from "../../state/picture.svelte";
import { isolate } from "../alarmWords";
import { figures } from "../notices/words";

export type Advice = Schemas["AdviceAnswer"];
export type Option = Schemas["OptionRow"];
export type Proposal = Schemas["ProposalRow"];
type Move = Schemas["Move"];

const US_PER_S = 1_000_000;
const TENTH_MM_PER_FT = 3048;
const TENTH_MM_PER_M = 10_000;
const TENTH_MM_PER_NM = 18_520_000;

/** What a height is, in the unit in which it is whole. */
export function heightWords(tenthMm: number): string {
  const size = Math.abs(tenthMm);
  if (size % TENTH_MM_PER_FT === 0) return figures(`${(size / TENTH_MM_PER_FT).toLocaleString("en")} ft`);
  return figures(`${(size / TENTH_MM_PER_M).toLocaleString("en")} m`);
}

/** What one notice would do: a sentence for each thing that changes. */
export function moveWords(move: Move): string {
  const id = isolate(move.notice);
  const said: string[] = [];
  const later = move.later_us ?? 0;
  const higher = move.higher_tenth_mm ?? 0;
  if (later) said.push(t(later > 0 ? "advice.later" : "advice.earlier", { id, time: figures(duration(Math.abs(later) / US_PER_S)) }));
  if (higher) said.push(t(higher > 0 ? "advice.higher" : "advice.lower", { id, height: heightWords(higher) }));
  const aside = move.aside_tenth_mm ?? 0;
  if (aside) {
    const distance = figures(`${(aside / TENTH_MM_PER_NM).toLocaleString("en")} NM`);
    said.push(t("advice.aside", { id, distance, bearing: figures(bearing((move.bearing_tenth_deg ?? 0) / 10)) }));
  }
  return listed(said);
}

export function movesWords(moves: readonly Move[]): string {
  // our own first, so that each side reads it as the other does
  const own = `${session.who?.party ?? ""}:`;
  const side = (move: Move): number => (move.notice.startsWith(own) ? 0 : 1);
  return listed([...moves].sort((a, b) => side(a) - side(b)).map(moveWords));
}

/** What is isolated already, one after the other. */
function listed(said: readonly string[]): string {
  return new Intl.ListFormat(i18n.language, { type: "conjunction" }).format(said);
}

/** What became of a proposal, and whose turn it is. */
export function stateWords(row: Proposal): string {
  const values = { party: isolate(picture.nameOf(row.party)), to: isolate(picture.nameOf(row.to)) };
  return t(`advice.state-${row.state}`, values);
}

/** A proposal that somebody has still to answer or to do. */
export function isOpen(row: Proposal): boolean {
  return row.ours_to_answer || row.ours_to_keep !== null || row.state === "proposed" || row.state === "accepted" || row.state === "not-kept";
}

/** Open ones first, the newest first among equals. */
export function ordered(rows: readonly Proposal[]): Proposal[] {
  return rows.toReversed().toSorted((a, b) => Number(isOpen(b)) - Number(isOpen(a)));
}
