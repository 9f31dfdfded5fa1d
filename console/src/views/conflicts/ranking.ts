/** The list of conflicts: which come first, and under which heading. */
import { t } from "../../i18n/index.svelte";
import { duration, zulu } from "../../lib/time";
import type { Conflict } from "../../state/picture.svelte";
import { isolate } from "../alarmWords";
import { nameOf } from "../notices/listing";
import { figures } from "../notices/words";

export type Standing = "conflict" | "cannot-tell" | "over" | "resolved";
export const STANDINGS: readonly Standing[] = ["conflict", "cannot-tell", "over", "resolved"];
/** What stands folded until it is asked for. */
export const PAST: ReadonlySet<Standing> = new Set<Standing>(["over", "resolved"]);

export interface Heading {
  standing: Standing;
  n: number;
  folded: boolean;
}

export interface Ranked {
  items: (Conflict | Heading)[];
  heads: number[]; // where the headings stand
  counts: Record<Standing, number>;
  next: number; // when the clock alone changes it, milliseconds since the epoch
}

export function isHeading(item: Conflict | Heading): item is Heading {
  return "standing" in item;
}

export function standingOf(row: Conflict, now: number): Standing {
  if (row.state !== "live") return "resolved";
  if (row.until !== null && Date.parse(row.until) <= now) return "over";
  return row.verdict === "cannot-tell" ? "cannot-tell" : "conflict";
}

/** Live ones soonest first; what is past newest first. Ids are made of both notices alike, so they favour no side. */
export function rank(rows: Iterable<Conflict>, now: number, past: boolean): Ranked {
  const parts: Record<Standing, Conflict[]> = { conflict: [], "cannot-tell": [], over: [], resolved: [] };
  let next = Infinity;
  for (const row of rows) {
    const standing = standingOf(row, now);
    parts[standing].push(row);
    if (row.until !== null && !PAST.has(standing)) next = Math.min(next, Date.parse(row.until));
  }
  const soonest = (a: Conflict, b: Conflict): number => compare(a.from ?? "", b.from ?? "") || compare(a.id, b.id);
  const newest = (a: Conflict, b: Conflict): number => compare(b.until ?? b.seen, a.until ?? a.seen) || compare(a.id, b.id);
  const items: (Conflict | Heading)[] = [];
  const heads: number[] = [];
  for (const standing of STANDINGS) {
    const found = parts[standing];
    if (!found.length) continue;
    const folded = PAST.has(standing) && !past;
    heads.push(items.length);
    items.push({ standing, n: found.length, folded });
    if (folded) continue;
    found.sort(PAST.has(standing) ? newest : soonest);
    for (const row of found) items.push(row);
  }
  const counts = Object.fromEntries(STANDINGS.map((one) => [one, parts[one].length])) as Record<Standing, number>;
  return { items, heads, counts, next };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export interface Two {
  id: string;
  version: number;
  party: string;
  own: boolean;
}

/** The two notices, own first. Where neither is ours, by the notices' names: never by the parties'. */
export function twoOf(row: Conflict): [Two, Two] {
  const both = row.notices.map((id, i) => ({ id, version: row.versions[i]!, party: row.parties[i]!, own: id === row.own }));
  const [first, second] = both as [Two, Two];
  const swap = second.own || (!first.own && compare(nameOf(first.id), nameOf(second.id)) > 0);
  return swap ? [second, first] : [first, second];
}

/** When it begins or ends, counted from now. */
export function soonWords(row: Pick<Conflict, "from" | "until">, now: number): string {
  if (row.from === null || row.until === null) return t("lists.when-unknown");
  const [from, until] = [Date.parse(row.from), Date.parse(row.until)];
  if (now < from) return t("lists.in", { time: figures(duration((from - now) / 1000)) });
  if (now < until) return t("lists.now-until", { time: figures(duration((until - now) / 1000)) });
  return t("lists.ago", { time: figures(duration((now - until) / 1000)) });
}

/** Who meets whom, when and how high, in one sentence. */
export function meetingSentence(row: Conflict, now: number, partyName: (party: string) => string): string {
  const [first, second] = twoOf(row);
  const values: Record<string, string> = {
    first: isolate(first.id),
    second: isolate(second.id),
    party: isolate(partyName(second.party)),
    other: isolate(partyName(first.party)),
    from: row.from ? figures(zulu(row.from, now)) : "",
    until: row.until ? figures(zulu(row.until, row.from ?? now)) : "",
    lower: figures(row.lower ?? ""),
    upper: figures(row.upper ?? ""),
  };
  const whose = first.own ? "own" : "others";
  const known = row.from === null ? "unknown" : row.lower === null ? "times" : "whole";
  return t(`lists.meet-${row.verdict === "cannot-tell" ? "cannot-tell" : "conflict"}-${whose}-${known}`, values);
}

/** The worst that each notice is in now: a conflict, or one that cannot be told. */
export function meetingRanks(rows: Iterable<Conflict>, now: number): ReadonlyMap<string, "conflict" | "cannot-tell"> {
  const found = new Map<string, "conflict" | "cannot-tell">();
  for (const row of rows) {
    const standing = standingOf(row, now);
    if (standing !== "conflict" && standing !== "cannot-tell") continue;
    for (const id of row.notices) if (found.get(id) !== "conflict") found.set(id, standing);
  }
  return found;
}

/** `18:39Z – 19:40Z`, with the day where it is another than that of `now`. */
export function timesOf(row: Pick<Conflict, "from" | "until">, now: number): string {
  if (row.from === null || row.until === null) return "";
  return `${zulu(row.from, now)} – ${zulu(row.until, row.from)}`;
}
