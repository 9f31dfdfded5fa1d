/** Sentences about an urgent matter. Names, reasons and desks are others' words and stand between isolates. */
import { coded, t } from "../../i18n/index.svelte";
import { picture, type Urgent } from "../../state/picture.svelte";
import { isolate } from "../alarmWords";
import { isFiledOnly, isToUs } from "./matter";

/** Who asks whom for what: `South asks you to cease`. */
export function askWords(row: Urgent, own: string): string {
  const toUs = isToUs(row, own);
  const party = isolate(picture.nameOf(toUs ? row.party : row.to));
  const what = row.emergency ? coded("urgent.emergency", row.emergency) : "";
  if (row.kind === "cease") return t(toUs ? "urgent.asks" : "urgent.we-asked", { party });
  return t(toUs ? "urgent.tells" : "urgent.we-told", { party, what });
}

/** Whether the line between the two is heard now; a line that the picture lacks is not judged. */
export function lineSilent(row: Urgent, own: string): boolean {
  const peer = isToUs(row, own) ? row.party : row.to;
  return picture.head?.lines.find((line) => line.peer === peer)?.observed === "silent";
}

/** Where a request of ours is: filed, on its way, delivered, moved up, answered. */
export function askerState(row: Urgent): "filed" | "sent" | "delivered" | "escalated" | "answered" {
  if (isFiledOnly(row)) return "filed";
  if (row.replies.length) return "answered";
  if (row.status === "escalated") return "escalated";
  return row.received === null ? "sent" : "delivered";
}
