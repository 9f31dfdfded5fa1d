import { describe, expect, test } from "vitest";
import type { Conflict, Notice } from "../state/picture.svelte";
import { xOf, yOf } from "./mercator";
import { barsAt, heightMarks, layOut, seenIn } from "./profile";
import { Shapes } from "./shapes";
import { TimeScale } from "./timeScale";

const HOUR = 3_600_000;
const noon = Date.parse("2026-01-01T12:00:00Z");
const iso = (time: number): string => new Date(time).toISOString();

function shapesOf(...wanted: { id: string; from: number; until: number; lower: number; upper: number; lon?: number }[]) {
  const shapes = new Shapes();
  const rows = wanted.map(({ id, from, until, lower, upper, lon = 30 }) => {
    const edge = (ft: number) => ({ text: `${ft} ft MSL`, ft, datum: "MSL" });
    const outline = [[[[lon, 33], [lon + 1, 33], [lon + 1, 34], [lon, 33]]]];
    const piece = { outline, start: iso(noon + from * HOUR), end: iso(noon + until * HOUR), lower: edge(lower), upper: edge(upper) };
    return { id, party: id.split(":")[0], state: "received", pieces: [piece] } as unknown as Notice;
  });
  shapes.update(new Map(rows.map((row) => [row.id, row])), null, "north");
  return shapes.all;
}
const scale = new TimeScale(noon, 6 * HOUR, 600);
const meeting = (id: string, notices: string[]): Conflict =>
  ({ id, notices, state: "live", rank: 1, from: iso(noon + HOUR), until: iso(noon + 2 * HOUR), lower_ft: 5_000, upper_ft: 10_000 }) as unknown as Conflict;

describe("the profile", () => {
  test("puts time across and height upwards", () => {
    const { bars, top_ft } = layOut(shapesOf({ id: "north:A", from: 1, until: 3, lower: 5_000, upper: 10_000 }), [], scale, 100, noon, null);
    expect(top_ft).toBe(10_000);
    expect(bars[0]).toMatchObject({ x: 100, width: 200, y: 0, height: 50, phase: "planned" });
  });

  test("reaches to the highest piece", () => {
    expect(layOut(shapesOf({ id: "north:A", from: 1, until: 3, lower: 0, upper: 41_000 }), [], scale, 100, noon, null).top_ft).toBe(50_000);
  });

  test("leaves out what is outside the stretch of time", () => {
    const shapes = shapesOf({ id: "north:A", from: -3, until: -1, lower: 0, upper: 1 }, { id: "north:B", from: 7, until: 8, lower: 0, upper: 1 });
    expect(layOut(shapes, [], scale, 100, noon, null).bars).toEqual([]);
  });

  test("leaves out what is outside the map's view", () => {
    const shapes = shapesOf({ id: "north:A", from: 1, until: 2, lower: 0, upper: 1 }, { id: "north:B", from: 1, until: 2, lower: 0, upper: 1, lon: 80 });
    const { bars } = layOut(shapes, [], scale, 100, noon, [xOf(29), yOf(30), xOf(35), yOf(40)]);
    expect(bars.map((bar) => bar.shape.row.id)).toEqual(["north:A"]);
  });

  test("sees a piece in a view that runs past the antimeridian", () => {
    const [shape] = shapesOf({ id: "north:A", from: 1, until: 2, lower: 0, upper: 1, lon: -179 });
    expect(seenIn([xOf(175), yOf(30), xOf(185), yOf(40)])(shape!)).toBe(true);
    expect(seenIn([xOf(170), yOf(30), xOf(175), yOf(40)])(shape!)).toBe(false);
  });

  test("gives even the thinnest piece something to see", () => {
    const { bars } = layOut(shapesOf({ id: "north:A", from: 1, until: 1.0001, lower: 100, upper: 101 }), [], scale, 100, noon, null);
    expect(bars[0]!.width).toBeGreaterThanOrEqual(2);
    expect(bars[0]!.height).toBeGreaterThanOrEqual(2);
    expect(bars[0]!.y + bars[0]!.height).toBeLessThanOrEqual(100.001);
  });

  test("marks a conflict of a piece in view and no other", () => {
    const shapes = shapesOf({ id: "north:A", from: 1, until: 3, lower: 0, upper: 10_000 });
    const { meetings } = layOut(shapes, [meeting("one", ["north:A", "south:B"]), meeting("two", ["north:Y", "south:Z"])], scale, 100, noon, null);
    expect(meetings.map((found) => found.conflict.id)).toEqual(["one"]);
    expect(meetings[0]).toMatchObject({ x: 100, width: 100, y: 0, height: 50 });
  });

  test("finds what is under the pointer, the active on top", () => {
    const shapes = shapesOf({ id: "north:A", from: -1, until: 3, lower: 0, upper: 9_000 }, { id: "north:P", from: 1, until: 3, lower: 0, upper: 9_000 });
    const profile = layOut(shapes, [], scale, 100, noon, null);
    expect(barsAt(profile, 150, 50).map((bar) => bar.shape.row.id)).toEqual(["north:A", "north:P"]);
    expect(barsAt(profile, 50, 50).map((bar) => bar.shape.row.id)).toEqual(["north:A"]);
    expect(barsAt(profile, 590, 50)).toEqual([]);
  });

  test("writes heights with room between them", () => {
    expect(heightMarks(10_000, 100)).toEqual([0, 5_000, 10_000]);
  });
});
