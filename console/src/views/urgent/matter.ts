/** An urgent matter as both sides look at it: whose move it is, what may be said, how long it has taken. The tables are those of the node. */
import type { Urgent } from "../../state/picture.svelte";

export type Move = Urgent["replies"][number]["move"];
type Status = Urgent["status"];

const CEASE_MOVES: Readonly<Partial<Record<Status, readonly Move[]>>> = {
  asked: ["ceasing", "cannot", "not-us", "effective"],
  escalated: ["ceasing", "cannot", "not-us", "effective"],
  ceasing: ["effective", "cannot", "not-us"],
  cannot: ["ceasing", "effective"],
  "not-us": ["ceasing", "cannot", "effective"],
};
const EMERGENCY_MOVES: readonly Move[] = ["heard", "assisting", "cannot", "not-us"];

export const NEEDS_REASON: ReadonlySet<Move> = new Set(["cannot"]);

const WAITING = "waiting:"; // how the id of a request begins that is filed and not signed
const MINUTE_MS = 60_000;
// how long what needs nobody stays on every screen, unless somebody puts it away: a refusal is news for a whole watch to who asked
const SETTLED_MS = 15 * MINUTE_MS;
const REFUSED_MS = 12 * 60 * MINUTE_MS;

/** Whether others ask us. */
export function isToUs(row: Urgent, own: string): boolean {
  return row.to === own;
}

export function isUnanswered(row: Urgent): boolean {
  return row.status === "asked" || row.status === "escalated";
}

/** Whether somebody still has to do something: answer, or stop what is to cease. */
export function isUnsettled(row: Urgent): boolean {
  return row.waiting || isUnanswered(row) || row.status === "ceasing";
}

/** Whether the request itself has not left: it is filed, and signed when the line is up. */
export function isFiledOnly(row: Urgent): boolean {
  return row.id.startsWith(WAITING);
}

/** What may be said next; nothing by who asked, and no second time what waits for the line already. */
export function movesOf(row: Urgent, own: string): readonly Move[] {
  if (!isToUs(row, own)) return [];
  const moves = row.kind === "emergency" ? EMERGENCY_MOVES : (CEASE_MOVES[row.status] ?? []);
  return moves.filter((move) => !row.replies_waiting.includes(move));
}

/** Since when this side counts, by its own ledger's clock. */
export function countedFrom(row: Urgent, own: string): number {
  return Date.parse(isToUs(row, own) ? (row.received ?? row.asked) : row.asked);
}

export interface Clock {
  seconds: number;
  runs: boolean;
}

/** From asked to the first answer. */
export function replyClock(row: Urgent, own: string, now: number): Clock {
  if (row.first_reply_s !== null) return { seconds: row.first_reply_s, runs: false };
  return { seconds: Math.max(0, (now - countedFrom(row, own)) / 1000), runs: true };
}

/** From asked to effective; null where nothing is to cease, or who was asked does not cease. */
export function effectClock(row: Urgent, own: string, now: number): Clock | null {
  if (row.kind !== "cease") return null;
  if (row.effective_s !== null) return { seconds: row.effective_s, runs: false };
  if (row.status === "cannot" || row.status === "not-us") return null;
  return { seconds: Math.max(0, (now - countedFrom(row, own)) / 1000), runs: true };
}

/** `0:42`, `27:05`, `1:02:09`: every second counts here, also in the second hour. */
export function stopwatch(seconds: number): string {
  const s = Math.floor(Math.max(0, seconds));
  const two = (n: number): string => String(n).padStart(2, "0");
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

/** The newest thing that was said about it, or null. */
export function lastSaid(row: Urgent): Urgent["replies"][number] | null {
  return row.replies.at(-1) ?? null;
}

/** Names this state of it: putting one away does not put away what comes after. */
export function stateKey(row: Urgent): string {
  return `${row.id} ${row.status} ${row.replies.length}`;
}

/** What stands on every view: all that is unsettled, and what was settled a short while ago and was not put away. */
export function inBand(rows: Iterable<Urgent>, own: string, now: number, putAway: ReadonlySet<string>): Urgent[] {
  const shown: Urgent[] = [];
  for (const row of rows) {
    if (isUnsettled(row)) shown.push(row);
    else if (!putAway.has(stateKey(row)) && now - settledAt(row, own) < staysMs(row, own)) shown.push(row);
  }
  return byUrgency(shown, own);
}

function settledAt(row: Urgent, own: string): number {
  const said = lastSaid(row);
  return Date.parse((isToUs(row, own) ? said?.time : (said?.received ?? said?.time)) ?? row.asked);
}

function staysMs(row: Urgent, own: string): number {
  const refused = row.status === "cannot" || row.status === "not-us";
  return refused && !isToUs(row, own) ? REFUSED_MS : SETTLED_MS;
}

/** What waits for our answer first, then what waits for theirs, then what is under way, then the rest; the newest first in each. */
export function byUrgency(rows: Urgent[], own: string): Urgent[] {
  const place = (row: Urgent): number => {
    if (isUnanswered(row)) return isToUs(row, own) && !row.replies_waiting.length ? 0 : 1;
    return isUnsettled(row) ? 2 : 3;
  };
  return rows.sort((a, b) => place(a) - place(b) || (a.asked < b.asked ? 1 : a.asked > b.asked ? -1 : 0) || (a.id < b.id ? -1 : 1));
}
