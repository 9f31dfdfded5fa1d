import { expect, it } from "vitest";
import { echoed, type Reading, usable } from "./reading";

const NOTHING = { lower: null, upper: null, start: null, end: null, notes: [], positions: [] };

it("a circle with a band and times of a NOTAM fills shape, band and times", () => {
  const reading = {
    ...NOTHING,
    kind: "notam",
    features: [{ type: "Feature", geometry: { type: "Point", coordinates: [35.78769, 35.523611111] }, properties: { radius_nm: 5 } }],
    lower: { value: 0, unit: "ft", datum: "AGL" },
    upper: { value: 250, unit: "FL", datum: "STD" },
    start: "2015-12-12T14:00:00Z",
    end: "2015-12-12T15:00:00Z",
  } as unknown as Reading;
  expect(usable(reading)).toEqual([
    {
      name: "",
      shape: { kind: "circle", at: ["35.78769", "35.523611111"], size: "5", unit: "nm" },
      piece: {
        lower: { value: "0", level: "ft AGL" },
        upper: { value: "250", level: "FL" },
        start: "121400Z DEC 15",
        end: "121500Z DEC 15",
      },
      notice: {},
    },
  ]);
  expect(echoed(reading, usable(reading))).toEqual([{ lat: 35.523611111, lon: 35.78769, asRead: "" }]);
});

it("bare positions change nothing of the form but the shape, and are echoed as they were written", () => {
  const reading = {
    ...NOTHING,
    kind: "positions",
    features: [{ type: "Feature", geometry: { type: "Polygon", coordinates: [[[1, 2], [3, 2], [3, 4], [1, 2]]] }, properties: { name: "<b>" } }],
    positions: [{ lat: 2, lon: 1, as_read: "02N 001E", notation: "dm", precision_m: 1852 }],
  } as unknown as Reading;
  const [used] = usable(reading);
  expect(used!.piece).toEqual({});
  expect(used!.name).toBe("<b>");
  expect(echoed(reading, [used!])).toEqual([{ lat: 2, lon: 1, asRead: "02N 001E" }]);
});

it("a point without a radius is a circle whose size is still to be typed", () => {
  const reading = {
    ...NOTHING,
    kind: "positions",
    features: [{ type: "Feature", geometry: { type: "Point", coordinates: [1, 2] }, properties: {} }],
  } as unknown as Reading;
  expect(usable(reading)[0]!.shape).toEqual({ kind: "circle", at: ["1", "2"], size: "", unit: "nm" });
});
