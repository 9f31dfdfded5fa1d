/** What the record holds about a notice, entry by entry, in words. */
import type { Schemas } from "../../api/client";
import { i18n, t } from "../../i18n/index.svelte";
import { inert } from "../../lib/inert";
import { zulu } from "../../lib/time";
import { isolate } from "../alarmWords";
import { type Context, type Ends, fieldWords, figures, interval, joined, ruleWords, toSeconds } from "./words";

export type HistoryRow = Schemas["HistoryRow"];

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** One line for one entry. Whose act it was decides between two forms; the party's name does not. */
export function historyWords(row: HistoryRow, { party, now, nameOf }: Context): string {
  const own = row.party === party;
  const values = row.values as Record<string, unknown>;
  const time = text(values.received) || text(values.opened);
  const said = {
    party: isolate(nameOf(row.party)),
    to: isolate(nameOf(text(values.to))),
    other: isolate(text(values.with)),
    desk: isolate(text(values.desk)),
    step: typeof values.step === "number" ? values.step : 0,
    field: joined((typeof values.field === "string" ? [values.field] : []).map(fieldWords)),
    whom: isolate(inert(values.to, 100)),
    rule: ruleWords(text(values.rule) || null),
    time: figures(time ? zulu(time, now) : ""),
    words: i18n.has(`codes.${text(values.code)}`) ? t(`codes.${text(values.code)}`) : inert(values.message, 200),
  };
  return t(`detail.kind-${formOf(row, own)}`, said);
}

/** Between when and when it was made or received, by whose clocks, as lines beneath what happened. */
export function betweenWords(row: HistoryRow, { now, nameOf }: Context): string[] {
  const values = row.values as { made_between?: Ends | null; received_between?: Ends | null; claimed?: unknown };
  const lines: string[] = [];
  if (values.made_between) lines.push(t("detail.timeline-made", { interval: interval(values.made_between, now, nameOf), time: toSeconds(text(values.claimed), now) }));
  if (values.received_between) lines.push(t("detail.timeline-received", { interval: interval(values.received_between, now, nameOf) }));
  return lines;
}

function formOf(row: HistoryRow, own: boolean): string {
  const values = row.values as Record<string, unknown>;
  switch (row.kind) {
    case "filed": {
      const what = text(values.said);
      return what.endsWith("cancel") ? "filed-cancel" : what.endsWith("replace") || (row.version ?? 1) > 1 ? "filed-replace" : "filed";
    }
    case "received":
      return values.rule ? "received-refused" : "received";
    case "delivered":
    case "refused":
    case "opened": {
      const of = text(values.of); // a request or a message in the thread of the notice earns receipts of its own
      return of && !of.startsWith("activity/") ? `${row.kind}-beside` : own ? `${row.kind}-own` : row.kind;
    }
    case "cease-reply":
      return `cease-${text(values.reply)}`;
    case "emergency-reply":
      return `emergency-${text(values.reply)}`;
    case "call-agreed":
      return values.agrees ? "call-agreed" : "call-disputed";
    case "cancelled":
    case "read-back":
    case "disseminated":
    case "acted":
    case "no-answer":
      return own ? `${row.kind}-own` : row.kind;
    case "deadline-passed":
    case "receipt-filed": {
      const what = row.kind === "receipt-filed" ? text(values.said).split("/")[1] : text(values.expected);
      return i18n.has(`detail.kind-${row.kind}-${what}`) ? `${row.kind}-${what}` : row.kind;
    }
    case "conflict":
      return values.verdict === "cannot-tell" ? "cannot-tell" : "conflict";
    default:
      return row.kind;
  }
}

/** When a version was signed, by recipient: what the sender's own record says. */
export function sentTimes(rows: readonly HistoryRow[], party: string, version: number): Map<string, string> {
  const found = new Map<string, string>();
  for (const row of rows) {
    if (row.party !== party || row.version !== version || (row.kind !== "signed" && row.kind !== "cancelled")) continue;
    const to = (row.values as Record<string, unknown>).to;
    if (typeof to === "string" && !found.has(to)) found.set(to, row.time);
  }
  return found;
}
