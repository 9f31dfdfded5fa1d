/** What a thread is about, what is owed in it and by when, in words. Nothing here knows whose side it is on but by `own`. */
import { coded, i18n, t } from "../../i18n/index.svelte";
import { duration } from "../../lib/time";
import { type Conflict, picture } from "../../state/picture.svelte";
import { isolate } from "../alarmWords";
import { figures, joined } from "../notices/words";
import type { MessageRow, TalkRow } from "./talks.svelte";

export type Answer = "affirm" | "negative" | "wilco" | "unable" | "standby";
export const ANSWERS: readonly { said: Answer; key: string }[] = [
  { said: "affirm", key: "a" },
  { said: "negative", key: "n" },
  { said: "wilco", key: "w" },
  { said: "unable", key: "u" },
  { said: "standby", key: "s" },
];
export const PRECEDENCES = ["routine", "priority", "urgent", "flash"] as const;

/** What may be said after what: docs/spec/hotline.md, section 6. The node refuses everything else; here it is not offered. */
const MOVES: Record<string, readonly Answer[]> = {
  asked: ["affirm", "negative", "wilco", "unable", "standby"],
  standby: ["affirm", "negative", "wilco", "unable"],
  affirm: ["negative", "unable"],
  negative: ["affirm", "wilco"],
  wilco: ["unable"],
  unable: ["wilco"],
};

export function movesFrom(state: string): readonly Answer[] {
  return MOVES[state] ?? [];
}

/** Whether nothing but a standby was said to it. */
export function isOpen(message: Pick<MessageRow, "state">): boolean {
  return message.state === "asked" || message.state === "standby";
}

export interface Named {
  kind: string;
  id: string;
}

/** A thread's key as kind and id; null for what is neither. */
export function threadOf(key: string): Named | null {
  const at = key.indexOf(":");
  const [kind, id] = [key.slice(0, at), key.slice(at + 1)];
  return at > 0 && id && ["notice", "conflict", "cease", "talk"].includes(kind) ? { kind, id } : null;
}

/** What a thread is about. */
export function subjectOf({ kind, id }: Named, others: readonly string[], conflicts: ReadonlyMap<string, Conflict> = picture.conflicts): string {
  if (kind === "notice") return t("talk.about-notice", { id: isolate(id) });
  if (kind === "conflict") {
    const [first, second] = conflicts.get(id)?.notices ?? [];
    if (first && second) return t("talk.about-conflict", { first: isolate(first), second: isolate(second) });
    return t("talk.about-conflict-id", { id: figures(id.slice(0, 12)) });
  }
  if (kind === "cease") return t("talk.about-cease", { id: figures(id.slice(0, 12)) });
  return others.length ? t("talk.about-talk", { parties: joined(others.map((one) => picture.nameOf(one))) }) : t("talk.about-nobody");
}

export interface Due {
  text: string;
  over: boolean;
}

/** An answer that is due: how long there is yet, or for how long it has been overdue. */
export function dueWords(due: string | null, now: number, own: boolean): Due {
  if (due === null) return { text: t(own ? "talk.owed-undated" : "talk.owed-to-undated"), over: false };
  const seconds = Math.round((Date.parse(due) - now) / 1000);
  const over = seconds < 0;
  const key = own ? (over ? "talk.owed-over" : "talk.owed-in") : over ? "talk.owed-to-over" : "talk.owed-to-in";
  return { text: t(key, { time: isolate(duration(Math.abs(seconds))) }), over };
}

/** What is owed to others first, the one that is due first at the top; then what was said last. */
export function ranked(rows: readonly TalkRow[]): TalkRow[] {
  const due = (row: TalkRow): string => row.due ?? "9";
  return rows.toSorted((a, b) => {
    const owed = Number(b.owed > 0) - Number(a.owed > 0);
    if (owed) return owed;
    if (a.owed && due(a) !== due(b)) return due(a) < due(b) ? -1 : 1;
    return a.last < b.last ? 1 : a.last > b.last ? -1 : a.key < b.key ? -1 : 1;
  });
}

/** A language's name in the language of the screen, or its code. */
export function languageName(code: string): string {
  try {
    return new Intl.DisplayNames([i18n.language], { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}

export const precedenceWords = (precedence: string): string => coded("detail.precedence", precedence);
