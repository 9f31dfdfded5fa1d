/** What a notice is and how far it got, in whole sentences. Neither side's name changes a word of them. */
import { coded, i18n, t } from "../../i18n/index.svelte";
import { inert } from "../../lib/inert";
import { duration, zulu } from "../../lib/time";
import type { Notice } from "../../state/picture.svelte";
import { isolate } from "../alarmWords";

const UNIT = /^([-\d.,]+) (\S.*)$/;
const MOST_SENTENCES = 3; // recipients named one by one; the table names all

const MIRRORED = /[\u0590-\u08ff]/; // Hebrew and Arabic letters: units of time are words of the language

/**
 * Puts figures between isolates, so that they read left to right inside any sentence. A duration in Hebrew or Arabic reads from right to
 * left, as its words do: forced the other way, its hours and minutes would change places.
 */
export function figures(text: string): string {
  return `${MIRRORED.test(text) ? "\u2067" : "\u2066"}${text}\u2069`;
}

/** Names in a row, as the language joins them. */
export function joined(names: readonly string[]): string {
  return new Intl.ListFormat(i18n.language, { type: "conjunction" }).format(names.map((name) => isolate(name)));
}

/** `patrol` in words; an activity that is not in the list stays as the sender wrote it. */
export function activityWords(activity: string | null): string {
  return activity === null ? t("lists.activity-none") : inert(coded("lists.activity", activity), 40);
}

/** The bands of a notice, each once, as their sender wrote them. */
export function bandsOf(row: Pick<Notice, "pieces">): string[] {
  const found = new Set<string>();
  for (const piece of row.pieces) found.add(bandWords(piece));
  return [...found];
}

export function bandWords(piece: { lower: { text: string }; upper: { text: string } }): string {
  return betweenWords(piece.lower.text, piece.upper.text);
}

/** Two altitudes as a band. A unit and datum that both have is said once: `5,000 – 12,000 ft MSL`. */
export function betweenWords(lower: string, upper: string): string {
  const [low, high] = [inert(lower, 40), inert(upper, 40)];
  const [first, second] = [UNIT.exec(low), UNIT.exec(high)];
  return first && second && first[2] === second[2] ? `${first[1]} – ${high}` : `${low} – ${high}`;
}

/** `18:39Z – 19:40Z`, with the day where it is not the day of `now`. */
export function timesWords(row: { start: string; end: string }, now: number): string {
  return `${zulu(row.start, now)} – ${zulu(row.end, Date.parse(row.end) - Date.parse(row.start) < 86_400_000 ? row.start : now)}`;
}

/** How much warning there was; null while nobody has received it. */
export function leadWords(row: Notice): string | null {
  if (row.lead_time_s === null) return null;
  const time = figures(duration(Math.abs(row.lead_time_s)));
  return row.lead_time_s < 0 ? t("lists.lead-after", { time }) : t("lists.lead", { time });
}

export interface Count {
  received: number;
  opened: number;
  of: number;
}

/** How many recipients have answered and opened it. */
export function countReceipts(row: Notice): Count {
  return {
    received: row.receipts.filter((receipt) => receipt.answer === "delivered").length,
    opened: row.receipts.filter((receipt) => receipt.opened !== null).length,
    of: row.to.length,
  };
}

export interface Context {
  party: string; // ours
  now: number;
  nameOf: (party: string) => string;
}

/** The state of a notice in plain sentences, the most important first. */
export function stateSentences(row: Notice, { party, now, nameOf }: Context): string[] {
  const name = (one: string): string => isolate(nameOf(one));
  const when = (time: string): string => figures(zulu(time, now));
  const own = row.party === party;
  const said: string[] = [];
  if (row.state === "cancelled") said.push(own ? t("detail.said-cancelled-own") : t("detail.said-cancelled", { party: name(row.party) }));
  if (!own) {
    const receipt = row.receipts.find((one) => one.party === party);
    const received = receipt?.received ?? row.received;
    if (received) said.push(lead(row, received, "detail.said-came", { party: name(row.party), time: when(received) }));
    if (receipt && receipt.answer !== "delivered") said.push(t("detail.said-refused-here", { rule: ruleWords(receipt.rule) }));
    if (receipt?.opened) said.push(t("detail.said-opened-here", { time: when(receipt.opened) }));
    else if (receipt?.answer === "delivered") said.push(t("detail.said-not-opened-here"));
    return said;
  }
  const waiting = row.to.filter((one) => !row.receipts.some((receipt) => receipt.party === one));
  if (row.state === "waiting") {
    said.push(t("detail.said-waiting", { parties: joined(row.to.map(nameOf)) }));
    return said;
  }
  if (row.to.length > MOST_SENTENCES) {
    const { received, opened, of } = countReceipts(row);
    said.push(t("detail.said-many", { received, opened, of }));
    if (row.receipts.some((receipt) => receipt.answer !== "delivered")) said.push(t("detail.said-many-refused"));
  } else {
    for (const receipt of row.receipts) {
      const values = { party: name(receipt.party), time: when(receipt.received) };
      if (receipt.answer !== "delivered") said.push(t("detail.said-refused", { ...values, rule: ruleWords(receipt.rule) }));
      else if (receipt.opened) said.push(lead(row, receipt.received, "detail.said-received-opened", { ...values, opened: when(receipt.opened) }));
      else said.push(lead(row, receipt.received, "detail.said-received", values));
    }
    if (waiting.length) said.push(t("detail.said-no-receipt", { n: waiting.length, parties: joined(waiting.map(nameOf)) }));
  }
  if (row.waiting_version !== null) said.push(t("detail.said-version-waits", { version: row.waiting_version }));
  return said;
}

/** A sentence that says how long before or after the start a notice was received. A cancelled one has no start to be before. */
function lead(row: Notice, received: string, key: string, values: Record<string, string>): string {
  if (row.state === "cancelled") return t(`${key}-cancelled`, values);
  const seconds = (Date.parse(row.start) - Date.parse(received)) / 1000;
  const form = seconds < 0 ? "after" : "before";
  return t(`${key}-${form}`, { ...values, lead: figures(duration(Math.abs(seconds))) });
}

/** Why a recipient said no: the rule's name in words, or as it is. */
export function ruleWords(rule: string | null): string {
  return isolate(coded("detail.rule", rule));
}

/** Ends of a time, by whose clocks; null where nobody bounds it. */
export interface Ends {
  not_before: string | null;
  not_after: string | null;
  by: string[];
}

/** A field of a statement; a name that has no word stays as it is. */
export const fieldWords = (field: string): string => (i18n.has(`detail.field-${field}`) ? t(`detail.field-${field}`) : isolate(field));

/** A time with its seconds: with minutes alone the ends of an interval would often read the same. */
export const toSeconds = (at: string, now: number): string => figures(`${zulu(at, now).replace(/\d\d:\d\dZ$/, "")}${new Date(at).toISOString().slice(11, 19)}Z`);

/** Between when and when, by whose clocks; an end that nobody bounds is said to be open. */
export function interval(found: Ends, now: number, name: (party: string) => string): string {
  const { not_before: early, not_after: late } = found;
  const by = joined(found.by.map(name));
  const time = (at: string): string => toSeconds(at, now);
  if (early && late) return t("detail.interval-between", { early: time(early), late: time(late), by });
  if (late) return t("detail.interval-late", { late: time(late), by });
  if (early) return t("detail.interval-early", { early: time(early), by });
  return t("detail.interval-open");
}
