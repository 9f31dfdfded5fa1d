/** The time axis of the strip: milliseconds to pixels and back, and where its marks stand. */

const MINUTE = 60_000;
const HOUR = 3_600_000;
export const LEAST_SPAN = HOUR;
export const MOST_SPAN = 72 * HOUR;
export const USUAL_SPAN = 6 * HOUR;
const NOW_AT = 0.25; // while the clock is followed, three quarters of the strip show what comes
const MARK_PX = 72; // room for `12 1400Z`
const STEPS = [5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR];

/** The strip's stretch of time; `start` null follows the clock. */
export interface Stretch {
  start: number | null;
  span: number;
}

export class TimeScale {
  readonly end: number;
  constructor(
    readonly start: number,
    readonly span: number,
    readonly width: number,
  ) {
    this.end = start + span;
  }

  x(time: number): number {
    return ((time - this.start) / this.span) * this.width;
  }

  time(x: number): number {
    return this.start + (x / Math.max(1, this.width)) * this.span;
  }

  /** Round times, at least `MARK_PX` apart; `day` where a day begins. */
  marks(): { time: number; x: number; day: boolean }[] {
    const wanted = (this.span / Math.max(1, this.width)) * MARK_PX;
    const step = STEPS.find((one) => one >= wanted) ?? STEPS.at(-1)!;
    const found = [];
    for (let time = Math.ceil(this.start / step) * step; time <= this.end; time += step) {
      found.push({ time, x: this.x(time), day: time % (24 * HOUR) === 0 });
    }
    return found;
  }
}

export function scaleOf(stretch: Stretch, now: number, width: number): TimeScale {
  return new TimeScale(stretch.start ?? now - stretch.span * NOW_AT, stretch.span, width);
}

/** The stretch, `factor` times as long, with the time `about` staying where it is; it follows the clock on only about the clock's time. */
export function zoomed(stretch: Stretch, factor: number, about: number, now: number): Stretch {
  const span = Math.min(MOST_SPAN, Math.max(LEAST_SPAN, stretch.span * factor));
  if (stretch.start === null && about === now) return { start: null, span };
  const start = stretch.start ?? now - stretch.span * NOW_AT;
  return { start: about - ((about - start) / stretch.span) * span, span };
}

/** The stretch, later by `ms`. */
export function moved(stretch: Stretch, ms: number, now: number): Stretch {
  return { ...stretch, start: (stretch.start ?? now - stretch.span * NOW_AT) + ms };
}

/** The stretch that holds a time, moved no further than needed. */
export function holding(stretch: Stretch, time: number, now: number): Stretch {
  const start = stretch.start ?? now - stretch.span * NOW_AT;
  if (time >= start && time <= start + stretch.span) return stretch;
  return { ...stretch, start: time < start ? time : time - stretch.span };
}

/** Times are chosen to the whole minute: nobody means the seconds when dragging. */
export function toMinute(time: number): number {
  return Math.round(time / MINUTE) * MINUTE;
}
