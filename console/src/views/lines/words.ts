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
