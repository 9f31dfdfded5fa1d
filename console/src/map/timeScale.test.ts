import { describe, expect, test } from "vitest";
import { holding, LEAST_SPAN, MOST_SPAN, moved, scaleOf, TimeScale, toMinute, zoomed } from "./timeScale";

const HOUR = 3_600_000;
const noon = Date.parse("2026-01-01T12:00:00Z");

describe("a time scale", () => {
  test("leads from time to pixel and back", () => {
    const scale = new TimeScale(noon, 6 * HOUR, 900);
    expect(scale.x(noon + 2 * HOUR)).toBe(300);
    expect(scale.time(300)).toBe(noon + 2 * HOUR);
  });

  test("marks round hours with room between them", () => {
    const marks = new TimeScale(noon + 1, 6 * HOUR, 900).marks();
    expect(marks.every(({ time }) => time % (HOUR / 2) === 0)).toBe(true);
    marks.slice(1).forEach((mark, i) => expect(mark.x - marks[i]!.x).toBeGreaterThanOrEqual(72));
  });

  test("tells the beginning of a day from other marks", () => {
    const marks = new TimeScale(noon, 24 * HOUR, 900).marks();
    expect(marks.filter(({ day }) => day).map(({ time }) => time)).toEqual([noon + 12 * HOUR]);
  });

  test("of no width still answers", () => {
    expect(Number.isFinite(new TimeScale(noon, HOUR, 0).time(10))).toBe(true);
    expect(new TimeScale(noon, HOUR, 0).marks()).toEqual([]);
  });
});

describe("a stretch", () => {
  const following = { start: null, span: 6 * HOUR };

  test("that follows the clock keeps a quarter behind it", () => {
    expect(scaleOf(following, noon, 100).x(noon)).toBe(25);
  });

  test("zoomed about the clock follows on", () => {
    expect(zoomed(following, 2, noon, noon)).toEqual({ start: null, span: 12 * HOUR });
  });

  test("zoomed about another time keeps that time in its place", () => {
    const about = noon + 3 * HOUR;
    const before = scaleOf(following, noon, 100).x(about);
    expect(scaleOf(zoomed(following, 0.5, about, noon), noon, 100).x(about)).toBeCloseTo(before, 9);
  });

  test("is never shorter than an hour nor longer than three days", () => {
    expect(zoomed(following, 0.001, noon, noon).span).toBe(LEAST_SPAN);
    expect(zoomed(following, 1000, noon, noon).span).toBe(MOST_SPAN);
  });

  test("moved by hand no longer follows the clock", () => {
    expect(moved(following, HOUR, noon)).toEqual({ start: noon - 0.5 * HOUR, span: 6 * HOUR });
  });

  test("moves no further than is needed to hold a time", () => {
    expect(holding(following, noon, noon)).toBe(following);
    expect(holding(following, noon + 10 * HOUR, noon).start).toBe(noon + 4 * HOUR);
    expect(holding(following, noon - 10 * HOUR, noon).start).toBe(noon - 10 * HOUR);
  });

  test("is chosen to the minute", () => {
    expect(toMinute(noon + 29_000)).toBe(noon);
    expect(toMinute(noon + 31_000)).toBe(noon + 60_000);
  });
});
