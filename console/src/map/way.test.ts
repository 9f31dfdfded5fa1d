import { describe, expect, test } from "vitest";
import { legBetween, type LonLat } from "../geo/geodesic";
import { HALF, latOf, lonOf } from "./mercator";
import { ringAround, Way } from "./way";

const HOUR = 3_600_000;
const START = Date.parse("2026-01-01T10:00:00Z");
const time = (hours: number): string => new Date(START + hours * HOUR).toISOString();

function way(points: [number, number][], edges: "planar" | "geodesic" = "planar"): Way {
  return new Way({ points, times: points.map((_, i) => time(i)), radius_m: 9260, edges });
}
const apart = (a: LonLat, b: LonLat): number => legBetween(a, b).distance_m;

describe("the place of somebody who moves", () => {
  const convoy = way([[34, 33], [35, 34], [35, 34], [36, 33.5]]);

  test("is an even share of the edge in longitude and latitude where edges are straight on the chart", () => {
    expect(convoy.placeAt(START + HOUR / 4)).toEqual([34.25, 33.25]);
    expect(convoy.placeAt(START + 2.25 * HOUR)).toEqual([35.25, 33.875]);
  });

  test("is the position itself at each of its times, and stays there while it waits", () => {
    expect([0, 1, 1.5, 2, 3].map((hours) => convoy.placeAt(START + hours * HOUR))).toEqual([[34, 33], [35, 34], [35, 34], [35, 34], [36, 33.5]]);
  });

  test("is nowhere before the first of its times and after the last", () => {
    expect(convoy.placeAt(START - 1)).toBeNull();
    expect(convoy.placeAt(START + 3 * HOUR + 1)).toBeNull();
  });

  // from the node's own whole numbers: detente.airspace.moving.place_at
  test.each([
    [0.25, [38.679646908, 36.096667016]],
    [0.5, [43.690008335, 38.973952583]],
    [0.75, [49.104792661, 41.617247716]],
    [2.25, [50.197592359, 44.048690648]],
  ] as [number, LonLat][])("on edges over the earth is where the node has it after %d h", (hours, node) => {
    const tanker = way([[34, 33], [55, 44], [55, 44], [36, 43]], "geodesic");
    expect(apart(tanker.placeAt(START + hours * HOUR)!, node)).toBeLessThan(0.01);
  });

  test("crosses 180 degrees on the short side where edges run over the earth", () => {
    const place = way([[179, 10], [-178, 12]], "geodesic").placeAt(START + HOUR / 2)!;
    expect(apart(place, [-179.505057709, 11.003735382])).toBeLessThan(0.01);
  });
});

describe("the ring around a place", () => {
  test("is everywhere as far away as the radius", () => {
    const { ring } = ringAround([35, 60], 9260, 100);
    for (let i = 0; i < ring.length; i += 2) {
      expect(Math.abs(apart([35, 60], [lonOf(ring[i]!), latOf(ring[i + 1]!)]) - 9260)).toBeLessThan(0.01);
    }
  });

  test("is closed, and has fewer corners the smaller it is on the screen", () => {
    const [near, far] = [ringAround([35, 60], 9260, 10).ring, ringAround([35, 60], 9260, 5000).ring];
    expect([near.at(-2), near.at(-1)]).toEqual([near[0], near[1]]);
    expect(far.length).toBeLessThan(near.length);
  });

  test("runs on across 180 degrees, and round a pole is led along the map's edge", () => {
    const [west, , east] = ringAround([180, 10], 50_000, 100).box;
    expect(east - west).toBeLessThan(HALF / 10);
    const { ring, box } = ringAround([20, 89], 500_000, 100);
    expect(box[2] - box[0]).toBeCloseTo(2 * HALF, 0);
    expect([ring.at(-2), ring.at(-1)]).toEqual([ring[0], ring[1]]);
  });
});
