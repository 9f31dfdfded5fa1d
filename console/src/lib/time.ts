/** Times as officers write them: date-time groups in Zulu, durations in words short enough for a list. */
import { t } from "../i18n/index.svelte";

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const two = (n: number): string => String(n).padStart(2, "0");

/** `121400Z DEC 15`; with `seconds`, `12 14:00:05Z DEC 15`. */
export function dtg(time: string | number, seconds = false): string {
  const d = new Date(time);
  if (Number.isNaN(d.getTime())) return "—";
  const tail = `${MONTHS[d.getUTCMonth()]} ${two(d.getUTCFullYear() % 100)}`;
  const clock = `${two(d.getUTCHours())}${two(d.getUTCMinutes())}`;
  if (!seconds) return `${two(d.getUTCDate())}${clock}Z ${tail}`;
  return `${two(d.getUTCDate())} ${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}Z ${tail}`;
}

/** `18:39Z`, and with the day where it is not the day of `beside`. */
export function zulu(time: string | number, beside?: string | number): string {
  const d = new Date(time);
  if (Number.isNaN(d.getTime())) return "—";
  const clock = `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}Z`;
  if (beside === undefined || new Date(beside).toISOString().slice(0, 10) === d.toISOString().slice(0, 10)) return clock;
  return `${two(d.getUTCDate())} ${MONTHS[d.getUTCMonth()]} ${clock}`;
}

/** Local time in the officer's zone, as digits: `21:39`. */
export function local(time: string | number, zone: string): string {
  return new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", hour12: false }).format(new Date(time));
}

/** `45 s`, `12 min`, `3 h 05 min`, `2 d 4 h`; a minus sign before what is past. */
export function duration(seconds: number): string {
  const sign = seconds < 0 ? "−" : "";
  const s = Math.floor(Math.abs(seconds));
  const values = { s, min: Math.floor(s / 60), h: Math.floor(s / 3600), d: Math.floor(s / 86400) };
  if (s < 60) return sign + t("frame.seconds", values);
  if (s < 3600) return sign + t("frame.minutes", values);
  if (s < 86400 && values.min % 60 === 0) return sign + t("frame.whole-hours", values);
  if (s < 86400) return sign + t("frame.hours", { ...values, min: two(values.min % 60) });
  if (values.h % 24 === 0) return sign + t("frame.whole-days", values);
  return sign + t("frame.days", { ...values, h: values.h % 24 });
}
