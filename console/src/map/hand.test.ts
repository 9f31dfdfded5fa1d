import { describe, expect, test } from "vitest";
import { legBetween, type LonLat } from "../geo/geodesic";
import { handlesOf, linesOf, measured, movedTo, shapeOf, without } from "./hand";

const square: LonLat[] = [[30, 33], [31, 33], [31, 34], [30, 34]];
const ringOf = (feature: { geometry: { coordinates: unknown } | null }): LonLat[] => (feature.geometry!.coordinates as LonLat[][])[0]!;

describe("a hand", () => {
  test("makes a closed polygon of three points or more", () => {
    expect(shapeOf("polygon", square.slice(0, 2))).toBeNull();
    const drawn = shapeOf("polygon", square)!;
    expect(drawn.geometry!.type).toBe("Polygon");
    expect(ringOf(drawn)).toHaveLength(5);
    expect(ringOf(drawn)[4]).toEqual(ringOf(drawn)[0]);
  });

  test("makes a circle of its centre and a point of its edge", () => {
    const drawn = shapeOf("circle", [[30, 0], [30, 0.25]])!;
    expect(drawn.geometry).toEqual({ type: "Point", coordinates: [30, 0] });
    expect(drawn.properties.radius_nm).toBe(14.93);
  });

  test("makes a corridor with a width to begin with", () => {
    const drawn = shapeOf("corridor", square.slice(0, 2))!;
    expect(drawn.geometry).toEqual({ type: "LineString", coordinates: [[30, 33], [31, 33]] });
    expect(drawn.properties).toEqual({ half_width_nm: 2.5 });
  });

  test("writes six digits, on this side of the antimeridian", () => {
    expect(shapeOf("corridor", [[190.12345678, 1.00000049], [-179.9999999, 2]])!.geometry!.coordinates).toEqual([[-169.876543, 1], [180, 2]]);
  });

  test("takes hold of corners, and of the middles between them", () => {
    const handles = handlesOf(shapeOf("polygon", square)!);
    expect(handles.filter(({ kind }) => kind === "vertex")).toHaveLength(4);
    expect(handles.filter(({ kind }) => kind === "middle").map(({ at }) => at)).toContainEqual([30.5, 33]);
  });

  test("moves the first corner with the closing one", () => {
    const drawn = shapeOf("polygon", square)!;
    const moved = movedTo({ ...drawn, properties: { key: "a" } }, handlesOf(drawn)[0]!, [29, 32]);
    expect(ringOf(moved)[0]).toEqual([29, 32]);
    expect(ringOf(moved)[4]).toEqual([29, 32]);
    expect(moved.properties).toEqual({ key: "a" });
    expect(ringOf(drawn)[0]).toEqual([30, 33]);
  });

  test("makes a new corner of a middle", () => {
    const drawn = shapeOf("corridor", square.slice(0, 2))!;
    const middle = handlesOf(drawn).find(({ kind }) => kind === "middle")!;
    expect(movedTo(drawn, middle, [30.5, 33.2]).geometry!.coordinates).toEqual([[30, 33], [30.5, 33.2], [31, 33]]);
  });

  test("moves a circle by its centre and sizes it by its edge", () => {
    const drawn = shapeOf("circle", [[30, 0], [30, 0.25]])!;
    const [center, radius] = handlesOf(drawn);
    expect(movedTo(drawn, center!, [31, 1])).toMatchObject({ geometry: { coordinates: [31, 1] }, properties: { radius_nm: 14.93 } });
    expect(movedTo(drawn, radius!, [30.5, 0]).properties.radius_nm).toBe(30.05);
  });

  test("takes a corner away only while a shape is left", () => {
    const drawn = shapeOf("polygon", square)!;
    const less = without(drawn, handlesOf(drawn)[0]!)!;
    expect(ringOf(less)).toEqual([[31, 33], [31, 34], [30, 34], [31, 33]]);
    expect(without(less, handlesOf(less)[0]!)).toBeNull();
  });

  test("draws a circle's ring at its radius on the earth", () => {
    const [ring] = linesOf(shapeOf("circle", [[30, 60], [30, 60.25]])!);
    for (const point of ring!) expect(legBetween([30, 60], point).distance_m / 1852).toBeCloseTo(15.04, 2);
  });

  test("draws nothing of what has no place", () => {
    expect(linesOf({ type: "Feature", geometry: null, properties: {} })).toEqual([]);
    expect(handlesOf({ type: "Feature", geometry: null, properties: {} })).toEqual([]);
  });

  test("measures leg by leg and in all", () => {
    const { legs, total_m } = measured([[0, 0], [1, 0], [1, 1]]);
    expect(legs.map(({ bearing_deg }) => Math.round(bearing_deg))).toEqual([90, 0]);
    expect(total_m).toBeCloseTo(legs[0]!.distance_m + legs[1]!.distance_m, 6);
    expect(measured([]).total_m).toBe(0);
  });
});
