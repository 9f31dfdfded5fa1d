/** How a line stands, for marks and lists. */
import type { Rank } from "../../lib/Mark.svelte";
import type { Line } from "../../state/picture.svelte";

/** Whether statements go over it at this moment. */
export function isWell(line: Line): boolean {
  return line.state === "open" && !line.failing && line.observed === "open";
}

/** Silence and records that differ warn; what is only declared is a caution, because somebody chose it. */
export function rankOf(line: Line): Rank {
  if (!isWell(line)) return "warning";
  return line.declared ? "caution" : "good";
}

const LATE_MS = 600_000; // as the node alarms: witnesses cosign within seconds
const MOMENT_MS = 30_000; // between two heads something is always on its way

/** Whether somebody vouches for our own record: what was signed a moment ago waits, and is no matter. */
export function vouchedRank(vouched: { since: string | null }, now: number): Rank {
  return behindRank(vouched.since, now);
}

/** A copy that is full warns; one that is behind for long is a caution at least. */
export function copyRank(copy: { since: string | null; full: boolean }, now: number): Rank {
  return copy.full ? "warning" : behindRank(copy.since, now);
}

function behindRank(since: string | null, now: number): Rank {
  const ms = since === null ? 0 : now - Date.parse(since);
  return ms >= LATE_MS ? "warning" : ms >= MOMENT_MS ? "caution" : "good";
}

export type Slot = Line["streak"][number];
export type SlotState = Slot["state"];

export const SLOT_STATES: readonly SlotState[] = ["answered", "late", "waiting", "missed", "unsent"];

/** How many checks in a row were answered, the newest first; one that still waits is not counted either way. */
export function answeredInARow(streak: readonly Slot[]): number {
  let n = 0;
  for (const { state } of streak.toReversed()) {
    if (state === "waiting") continue;
    if (state !== "answered" && state !== "late") break;
    n++;
  }
  return n;
}
