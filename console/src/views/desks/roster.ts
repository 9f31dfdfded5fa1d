/** Who is on, desk by desk: what the parties told each other, put beside the levels of the agreement. */
import type { Schemas } from "../../api/client";

export type Roster = Schemas["RosterBoard"];
export type Watch = Roster["watches"][number];

export interface Manned {
  /** On now; several where a desk was told of twice. */
  now: Watch[];
  next: Watch | null;
}

/** The watches of one party's desk: those that are on, and the first that is to come. */
export function mannedBy(watches: readonly Watch[], party: string, desk: string, nowMs: number): Manned {
  const all = watches.filter((one) => one.party === party && one.desk === desk).toSorted((a, b) => Date.parse(a.from) - Date.parse(b.from));
  const now = all.filter((one) => Date.parse(one.from) <= nowMs && nowMs < Date.parse(one.until));
  return { now, next: all.find((one) => Date.parse(one.from) > nowMs) ?? null };
}

/** Desks in order of level; what somebody is rostered for and the agreement does not name comes last. */
export function allDesks(desks: readonly string[], watches: readonly Watch[]): string[] {
  const others = new Set(watches.map((one) => one.desk).filter((desk) => !desks.includes(desk)));
  return [...desks, ...[...others].sort()];
}

/** Language codes that were typed: `en, ru`. Null where one is no code. */
export function languagesIn(text: string): string[] | null {
  const found = text.toLowerCase().split(/[\s,;،]+/).filter(Boolean);
  if (!found.length || found.some((one) => !/^[a-z]{2,3}(-[a-z0-9]{1,8}){0,3}$/.test(one))) return null;
  return [...new Set(found)];
}

/** A language's own name for the reader: `Russian`, or the code where nobody knows it. */
export function languageName(code: string, language: string): string {
  try {
    return new Intl.DisplayNames([language], { type: "language", fallback: "code" }).of(code) ?? code;
  } catch {
    return code;
  }
}
