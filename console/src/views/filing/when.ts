/**
 * Times as officers type them, in Zulu only: `121400Z DEC 15`, `121400Z`, `14:00`, `1400Z`, `+30 min`, `2015-12-12T14:00Z`.
 * A time of another zone is not taken: a local time in a notice has cost hours before.
 */
import { dtg } from "../../lib/time";

const MINUTE = 60_000;
const DAY = 86_400_000;
const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:[T ]+)(\d{2}):?(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?\s*Z?$/i;
const GROUP = /^(\d{2})\s*(\d{2}):?(\d{2})\s*Z?\s*(?:([A-Z]{3})\s*(\d{2}|\d{4})?)?$/i;
const CLOCK = /^(\d{1,2}):(\d{2})\s*Z?$|^(\d{2})(\d{2})\s*Z?$/i;
const LATER = /^\+\s*(?:(\d+)\s*(?:h|hr|hrs|hours?)\s*(?:(\d+)\s*(?:m|min|mins|minutes?)?)?|(\d+)\s*(?:m|min|mins|minutes?)?|(\d+):(\d{2}))$/i;

export interface When {
  iso: string; // RFC 3339 in Z, as notices write it
  ms: number;
}

function made(year: number, month: number, day: number, hour: number, minute: number, second = 0): number | null {
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  const d = new Date(ms);
  // Date.UTC carries 31 NOV over into December; an officer who typed it made a mistake
  const same = d.getUTCMonth() === month - 1 && d.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  return same ? ms : null;
}

const whole = (ms: number): When => ({ iso: new Date(ms).toISOString().replace(".000", ""), ms });

/** Digits of other scripts and the letters that look like ours, made plain. */
function plain(text: string): string {
  return text
    .trim()
    .replace(/[٠-٩]/g, (digit) => String(digit.charCodeAt(0) - 0x660))
    .replace(/[۰-۹]/g, (digit) => String(digit.charCodeAt(0) - 0x6f0))
    .replace(/\s+/g, " ");
}

/**
 * What a typed time means; null when it cannot be told.
 *
 * @param after milliseconds: a clock time without a day is the first one that is not before this, and `+` counts from it
 */
export function parseWhen(typed: string, after: number): When | null {
  const text = plain(typed);
  const later = LATER.exec(text);
  if (later) {
    const [, hours, minutes, only, h, m] = later;
    const total = only !== undefined ? Number(only) : h !== undefined ? Number(h) * 60 + Number(m) : Number(hours) * 60 + Number(minutes ?? 0);
    const from = Math.ceil(after / MINUTE) * MINUTE; // whole minutes, and never less notice than was asked for
    return total > 0 && total < 400 * 1440 ? whole(from + total * MINUTE) : null;
  }
  const iso = ISO.exec(text);
  if (iso) {
    const [, year, month, day, hour, minute, second, part] = iso;
    const ms = made(Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second ?? 0));
    if (ms === null) return null;
    const micros = (part ?? "").padEnd(6, "0");
    if (!Number(micros)) return whole(ms);
    return { iso: whole(ms).iso.replace("Z", `.${micros}Z`), ms: ms + Number(micros) / 1000 };
  }
  const clock = CLOCK.exec(text);
  if (clock) {
    const base = new Date(after);
    const ms = made(
      base.getUTCFullYear(),
      base.getUTCMonth() + 1,
      base.getUTCDate(),
      Number(clock[1] ?? clock[3]),
      Number(clock[2] ?? clock[4]),
    );
    if (ms === null) return null;
    return whole(ms < Math.floor(after / MINUTE) * MINUTE ? ms + DAY : ms);
  }
  const group = GROUP.exec(text);
  if (!group) return null;
  const [, day, hour, minute, name, year] = group;
  const base = new Date(after);
  if (name) {
    const month = MONTHS.indexOf(name.toUpperCase()) + 1;
    if (!month) return null;
    const given = year === undefined ? base.getUTCFullYear() : Number(year) + (year.length === 2 ? 2000 : 0);
    let ms = made(given, month, Number(day), Number(hour), Number(minute));
    // without a year, the one in which the date is near: 010100Z JAN typed on 31 December is tomorrow
    if (ms !== null && year === undefined && ms < after - 182 * DAY) ms = made(given + 1, month, Number(day), Number(hour), Number(minute));
    return ms === null ? null : whole(ms);
  }
  // the day of a month: this month's, or the next one's when that is past; 31 typed in April is May's
  for (let ahead = 0; ahead < 3; ahead++) {
    const first = new Date(Date.UTC(base.getUTCFullYear(), base.getUTCMonth() + ahead, 1));
    const ms = made(first.getUTCFullYear(), first.getUTCMonth() + 1, Number(day), Number(hour), Number(minute));
    if (ms !== null && ms >= after - DAY) return whole(ms);
  }
  return null;
}

/** How a time stands in its field: a date-time group where that says all of it, else ISO. */
export function fieldTime(iso: string): string {
  const exact = /^20\d\d-\d\d-\d\dT\d\d:\d\d:00Z$/.test(iso);
  return exact ? dtg(iso) : iso;
}
