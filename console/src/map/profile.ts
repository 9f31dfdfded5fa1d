/**
 * The strip's boxes: what is where in time and height. Heights of different datums stand side by side on one axis, each by its own number;
 * none is converted, and whether two pieces meet is never read from here.
 */
import type { Conflict } from "../state/picture.svelte";
import { type Box, WORLD, worlds } from "./mercator";
import type { Phase, Shape } from "./shapes";
import type { TimeScale } from "./timeScale";

export interface Bar {
  shape: Shape;
  phase: Phase;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Meeting {
  conflict: Conflict;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Profile {
  bars: Bar[];
  meetings: Meeting[];
  /** Where notices would be after a change that is looked at. */
  moved: Bar[];
  /** Top of the axis in feet. */
  top_ft: number;
}

const LEAST_TOP_FT = 10_000; // so that a lone drone at 300 ft does not look like an airliner
const MOST_TOP_FT = 100_000; // beyond, the rest would be a line at the foot
const LEAST_PX = 2;
const TOPS = [10_000, 15_000, 20_000, 30_000, 40_000, 50_000, 60_000, 80_000, 100_000];

/** Tells of a shape whether it is seen in a view, which may run past the antimeridian. */
export function seenIn(view: Box | null): (shape: Shape) => boolean {
  if (!view) return () => true;
  const shifts = worlds(view).map((k) => k * WORLD);
  return ({ box }) => box[1] <= view[3] && box[3] >= view[1] && shifts.some((by) => box[0] + by <= view[2] && box[2] + by >= view[0]);
}

/** The boxes of a stretch of time, first ended, then planned, then active ones, so that what counts is on top. */
export function layOut(
  shapes: readonly Shape[],
  conflicts: Iterable<Conflict>,
  scale: TimeScale,
  height: number,
  at: number,
  view: Box | null,
  moved: readonly Shape[] = [],
): Profile {
  const inView = seenIn(view);
  const within = (s: Shape): boolean => s.end > scale.start && s.start < scale.end && s.piece.outline.length > 0;
  const seen = shapes.filter((s) => within(s) && inView(s));
  const shifted = moved.filter(within); // looked at, so seen wherever the map is
  let highest = LEAST_TOP_FT;
  for (const shape of [...seen, ...shifted]) highest = Math.max(highest, shape.piece.upper.ft);
  const top_ft = TOPS.find((top) => top >= highest) ?? MOST_TOP_FT;
  const yAt = (ft: number): number => height - (Math.min(top_ft, Math.max(0, ft)) / top_ft) * height;
  const area = (start: number, end: number, lower: number, upper: number) => {
    const [left, right] = [Math.max(-LEAST_PX, scale.x(start)), Math.min(scale.width + LEAST_PX, scale.x(end))];
    const y = Math.min(yAt(upper), height - LEAST_PX);
    return { x: left, y, width: Math.max(LEAST_PX, right - left), height: Math.max(LEAST_PX, yAt(lower) - y) };
  };
  const order: Record<Phase, number> = { ended: 0, planned: 1, active: 2 };
  const bar = (shape: Shape): Bar => ({ shape, phase: shape.phase(at), ...area(shape.start, shape.end, shape.piece.lower.ft, shape.piece.upper.ft) });
  const bars = seen
    .map(bar)
    .sort((a, b) => order[a.phase] - order[b.phase]);
  const notices = new Set(seen.map((shape) => shape.row.id));
  const meetings: Meeting[] = [];
  for (const conflict of conflicts) {
    if (conflict.state !== "live" || conflict.from === null || conflict.until === null) continue;
    if (!conflict.notices.some((id) => notices.has(id))) continue;
    const [from, until] = [Date.parse(conflict.from), Date.parse(conflict.until)];
    if (until <= scale.start || from >= scale.end) continue;
    meetings.push({ conflict, ...area(from, until, conflict.lower_ft ?? 0, conflict.upper_ft ?? top_ft) });
  }
  return { bars, meetings, moved: shifted.map(bar), top_ft };
}

/** What is under a point, topmost first. */
export function barsAt(profile: Profile, x: number, y: number): Bar[] {
  const near = 2;
  return profile.bars.filter((b) => x >= b.x - near && x <= b.x + b.width + near && y >= b.y - near && y <= b.y + b.height + near).reverse();
}

/** Heights to write on the axis. */
export function heightMarks(top_ft: number, height: number): number[] {
  const step = [1000, 2000, 5000, 10_000, 20_000, 50_000].find((one) => (one / top_ft) * height >= 22) ?? 50_000;
  const found = [];
  for (let ft = 0; ft <= top_ft; ft += step) found.push(ft);
  return found;
}
