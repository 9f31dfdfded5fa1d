import { describe, expect, test } from "vitest";
import { readLayers, readPlace, readTime, USUAL_LAYERS, writeLayers, writePlace, writeTime } from "./address";
import { lineLabel, linesBetween, stepFor } from "./graticule";
import { aroundTheWorld, boxOf, contains, latOf, lonOf, middleOf, projected, WORLD, worlds, xOf, yOf } from "./mercator";
import { Room } from "./room";

describe("the plane", () => {
  test("is left as it was entered", () => {
    expect(lonOf(xOf(35.787691))).toBeCloseTo(35.787691, 10);
    expect(latOf(yOf(-70.5))).toBeCloseTo(-70.5, 10);
  });

  test("lets a line run over the antimeridian without a jump", () => {
    const flat = projected([[179, 0], [-179, 0]]);
    expect(flat[2]! - flat[0]!).toBeCloseTo(xOf(2), 6);
  });

  test("shows two places on both sides of the antimeridian beside each other", () => {
    const box = aroundTheWorld([[xOf(178), 0, xOf(179), 1], [xOf(-179), 0, xOf(-178), 1]])!;
    expect(box[2] - box[0]).toBeCloseTo(xOf(4), 3);
  });

  test("has one world in an ordinary view and two in one over the antimeridian", () => {
    expect(worlds([xOf(10), 0, xOf(20), 1])).toEqual([0]);
    expect(worlds([xOf(170), 0, xOf(190), 1])).toEqual([0, 1]);
    expect(worlds([xOf(-190) - WORLD, 0, xOf(-170) - WORLD, 1])).toEqual([-2, -1]);
  });

  test("tells inside from outside, holes left out", () => {
    const [outer, hole] = [projected([[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]), projected([[4, 4], [6, 4], [6, 6], [4, 6], [4, 4]])];
    expect(contains([outer], xOf(5), yOf(5))).toBe(true);
    expect(contains([outer, hole], xOf(5), yOf(5))).toBe(false);
    expect(contains([outer, hole], xOf(11), yOf(5))).toBe(false);
  });

  test("finds a point inside a bent shape to write on", () => {
    const ring = projected([[0, 0], [10, 0], [10, 10], [9, 10], [9, 1], [1, 1], [1, 10], [0, 10], [0, 0]]);
    const [x, y] = middleOf([ring]);
    expect(contains([ring], x, y)).toBe(true);
    expect(boxOf(ring)[0]).toBe(0);
  });
});

describe("the graticule", () => {
  test("is finer the nearer one is, with room between lines", () => {
    expect(stepFor(100)).toBe(60);
    expect(stepFor(1000)).toBe(10);
    expect(stepFor(0.1)).toBe(1800);
  });

  test("has lines at whole multiples", () => {
    expect(linesBetween(-0.6, 0.6, 30)).toEqual([-30, 0, 30]);
  });

  test("is written on this side of the antimeridian", () => {
    expect([lineLabel(2130, "NS"), lineLabel(-60, "EW"), lineLabel(0, "EW"), lineLabel(10_800, "EW"), lineLabel(10_860, "EW"), lineLabel(-10_860, "EW")])
      .toEqual(["35°30′N", "1°W", "0°", "180°", "179°W", "179°E"]); // prettier-ignore
  });
});

describe("the address", () => {
  test("brings back place, time and layers", () => {
    expect(readPlace(writePlace({ lat: 33.5, lon: 36.25, zoom: 7.5 }))).toEqual({ lat: 33.5, lon: 36.25, zoom: 7.5 });
    const time = Date.parse("2026-01-01T12:34:00Z");
    expect(readTime({ t: writeTime(time)! })).toBe(time);
    const layers = new Set(["own", "airports"] as const);
    expect(readLayers({ layers: writeLayers(layers)! })).toEqual(layers);
  });

  test("says nothing of the usual layers nor of the present", () => {
    expect(writeLayers(new Set(USUAL_LAYERS))).toBeNull();
    expect(writeTime(null)).toBeNull();
    expect(readLayers({})).toEqual(new Set(USUAL_LAYERS));
  });

  test("can hide every layer", () => {
    expect(readLayers({ layers: writeLayers(new Set())! })).toEqual(new Set());
  });

  test("that makes no sense is left alone", () => {
    for (const c of ["", "1", "1,2,3", "91,0", "x,y", ",", "NaN,0"]) expect(readPlace({ c })).toBeNull();
    for (const t of ["", "yesterday", "2026-13-01T00:00Z", "2026-01-01"]) expect(readTime({ t })).toBeNull();
  });
});

describe("room for words", () => {
  test("is given once, also across the cells it is kept in", () => {
    const room = new Room();
    expect(room.take(50, 50, 100, 20)).toBe(true);
    expect(room.take(140, 60, 50, 20)).toBe(false);
    expect(room.take(151, 50, 50, 20)).toBe(true);
    expect(room.take(-20, -20, 10, 10)).toBe(true);
    expect(room.take(-15, -15, 10, 10)).toBe(false);
  });
});
