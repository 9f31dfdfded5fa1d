import { describe, expect, test } from "vitest";
import { legBetween, travel, wrap } from "./geodesic";
import { nearestOf } from "./places";
import { bearing, decimal, dms, inKm, inNm, leg, mgrs, nauticalMiles, type Position, written } from "./position";

interface Vectors {
  positions: { lat: number; lon: number; dms: string; decimal: string; mgrs: string | null }[];
  legs: { from: [number, number]; to: [number, number]; distance_m: number; initial_bearing_deg: number | null }[];
}

const vectors = Object.values(import.meta.glob<Vectors>("../../../tests/vectors/coordinates.json", { eager: true, import: "default" }))[0];

describe("a position", () => {
  test("is written in degrees, minutes and tenths of a second", () => {
    expect(dms(35.523611111, 35.787694444)).toBe("35°31′25.0″N 035°47′15.7″E");
    expect(dms(-0.5, -179.5)).toBe("00°30′00.0″S 179°30′00.0″W");
  });

  test("carries on rounding into minutes and degrees", () => {
    expect(dms(9.99999999, 59.99999999)).toBe("10°00′00.0″N 060°00′00.0″E");
  });

  test("that rounds to zero has no sign and no southern or western letter", () => {
    expect(dms(-0.000000001, -0.000000001)).toBe("00°00′00.0″N 000°00′00.0″E");
    expect(decimal(-0.000001, -0.000004)).toBe("0.00000, 0.00000");
  });

  test("is written in decimal degrees, latitude first", () => {
    expect(decimal(35.523611111, 35.787694444)).toBe("35.52361, 35.78769");
    expect(decimal(-33.9, -0.00001)).toBe("-33.90000, -0.00001");
  });

  test("is written as a grid reference of one metre with spaces", () => {
    expect(mgrs(35.522929939, 35.770595155)).toBe("36S YE 51234 34567");
  });

  test("near a pole has no grid reference and is written in degrees instead", () => {
    expect(mgrs(84, 10)).toBeNull();
    expect(mgrs(-80.001, 10)).toBeNull();
    expect(written("mgrs", 84, 10)).toBe(dms(84, 10));
  });

  test("beyond the antimeridian is written on this side of it", () => {
    expect(decimal(10, 190)).toBe("10.00000, -170.00000");
    expect(wrap(-180)).toBe(180);
    expect(wrap(540)).toBe(180);
  });
});

describe("a leg", () => {
  test("matches the survey's own example, Flinders Peak to Buninyong", () => {
    const found = leg({ lat: -(37 + 57 / 60 + 3.7203 / 3600), lon: 144 + 25 / 60 + 29.5244 / 3600 }, { lat: -(37 + 39 / 60 + 10.1561 / 3600), lon: 143 + 55 / 60 + 35.3839 / 3600 });
    expect(found.distance_m).toBeCloseTo(54_972.271, 1);
    expect(found.bearing_deg).toBeCloseTo(306.868158, 3);
  });

  test("across the antimeridian is the short way", () => {
    expect(legBetween([179.9, 0], [-179.9, 0]).distance_m).toBeCloseTo(22_263.9, 0);
    expect(legBetween([179.9, 0], [-179.9, 0]).bearing_deg).toBeCloseTo(90, 6);
  });

  test("between a place and itself is nothing", () => {
    expect(legBetween([12, 34], [12, 34]).distance_m).toBe(0);
  });

  test("between opposite places goes over a pole and has a length", () => {
    expect(legBetween([0, 0], [180, 0]).distance_m).toBeCloseTo(20_003_931.46, 0);
    expect(legBetween([0, 0], [179.5, 0.5]).distance_m).toBeCloseTo(19_936_288.579, -1);
  });

  test("gone leads to the place it was measured to", () => {
    for (const [a, b] of [[[35.7, 35.5], [36.9, 34.1]], [[179, -70], [-170, -60]], [[-5, 89], [100, 80]]] as const) {
      const { distance_m, bearing_deg } = legBetween(a, b);
      const [lon, lat] = travel(a, bearing_deg, distance_m);
      expect(lat).toBeCloseTo(b[1], 8);
      expect(wrap(lon - b[0])).toBeCloseTo(0, 7);
    }
  });

  test("is written with the figures that matter", () => {
    expect([inNm(777.84), inNm(13_519.6), inNm(185_200)]).toEqual(["0.42 NM", "7.3 NM", "100 NM"]);
    expect([inKm(420), inKm(13_520)]).toEqual(["420 m", "13.5 km"]);
    expect([bearing(4.6), bearing(359.7)]).toEqual(["005°", "000°"]);
    expect(nauticalMiles(1852)).toBe(1);
  });
});

describe("the nearest place", () => {
  const places = [
    { name: "East", lat: 0, lon: 179, kind: 20 },
    { name: "West", lat: 0, lon: -179.5, kind: 20 },
  ];

  test("is found across the antimeridian, with the bearing from it", () => {
    const found = nearestOf(places, 0, 179.9);
    expect(found?.name).toBe("West");
    expect(found?.bearing_deg).toBeCloseTo(270, 6);
  });

  test("of none is none", () => {
    expect(nearestOf([], 0, 0)).toBeNull();
  });
});

describe.skipIf(!vectors)("the shared vectors", () => {
  test("of positions are written alike by node and console", () => {
    for (const one of vectors!.positions) {
      expect(dms(one.lat, one.lon)).toBe(one.dms);
      expect(decimal(one.lat, one.lon)).toBe(one.decimal);
      expect(mgrs(one.lat, one.lon)).toBe(one.mgrs);
    }
  });

  test("of legs are as long and point the same way", () => {
    for (const one of vectors!.legs) {
      const [from, to] = [one.from, one.to].map(([lat, lon]) => ({ lat, lon })) as [Position, Position];
      const found = leg(from, to);
      expect(Math.abs(found.distance_m - one.distance_m)).toBeLessThan(0.002);
      if (one.initial_bearing_deg !== null) expect(Math.abs(wrap(found.bearing_deg - one.initial_bearing_deg))).toBeLessThan(1e-5);
    }
  });
});
