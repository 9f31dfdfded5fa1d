import { describe, expect, test } from "vitest";
import type { Notice } from "../state/picture.svelte";
import { ENDED_SHOWN_MS, nextChange, Shapes } from "./shapes";

const at = (time: string): number => Date.parse(`2026-01-01T${time}:00Z`);

function notice(id: string, more: Partial<Notice> = {}, pieces = 1): Notice {
  const edge = { text: "0 ft MSL", ft: 0, datum: "MSL" };
  const piece = { outline: [[[[30, 33], [31, 33], [31, 34], [30, 33]]]], start: "2026-01-01T10:00:00Z", end: "2026-01-01T12:00:00Z", lower: edge, upper: edge };
  return { id, party: id.split(":")[0]!, state: "received", pieces: Array.from({ length: pieces }, () => piece), ...more } as Notice;
}
const rows = (...notices: Notice[]): Map<string, Notice> => new Map(notices.map((row) => [row.id, row]));

describe("the shapes of a picture", () => {
  test("are one for each piece, own where the notice is ours", () => {
    const shapes = new Shapes();
    shapes.update(rows(notice("north:A", {}, 2), notice("south:B")), null, "north");
    expect(shapes.all.map((shape) => [shape.row.id, shape.own])).toEqual([["north:A", true], ["north:A", true], ["south:B", false]]);
  });

  test("swap sides when the parties do", () => {
    const picture = rows(notice("north:A"), notice("south:B"));
    const [one, two] = [new Shapes(), new Shapes()];
    one.update(picture, null, "north");
    two.update(picture, null, "south");
    expect(one.all.map((shape) => shape.own)).toEqual(two.all.map((shape) => !shape.own));
  });

  test("stay the same objects while their row does", () => {
    const shapes = new Shapes();
    const [a, b] = [notice("north:A"), notice("south:B")];
    shapes.update(rows(a, b), null, "north");
    const before = shapes.of("north:A")[0];
    const changed = notice("south:B", { state: "cancelled" });
    expect(shapes.update(rows(a, changed), ["south:B"], "north")).toBe(true);
    expect(shapes.of("north:A")[0]).toBe(before);
    expect(shapes.of("south:B")[0]!.row).toBe(changed);
  });

  test("do not change where nothing did", () => {
    const shapes = new Shapes();
    const picture = rows(notice("north:A"));
    shapes.update(picture, null, "north");
    const all = shapes.all;
    expect(shapes.update(new Map(picture), null, "north")).toBe(false);
    expect(shapes.all).toBe(all);
  });

  test("are complete though a change was missed in between", () => {
    const shapes = new Shapes();
    const a = notice("north:A");
    shapes.update(rows(a), null, "north");
    shapes.update(rows(a, notice("north:B"), notice("north:C")), ["north:C"], "north");
    expect(shapes.all).toHaveLength(3);
  });

  test("go when the picture starts again without them", () => {
    const shapes = new Shapes();
    shapes.update(rows(notice("north:A"), notice("north:B")), null, "north");
    shapes.update(rows(notice("north:C")), null, "north");
    expect(shapes.all.map((shape) => shape.row.id)).toEqual(["north:C"]);
  });
});

describe("a shape", () => {
  const made = new Shapes();
  made.update(rows(notice("north:A"), notice("north:X", { state: "cancelled" })), null, "north");
  const [shape, cancelled] = [made.of("north:A")[0]!, made.of("north:X")[0]!];

  test("is planned until its start, active until its end, then ended", () => {
    expect([at("09:59"), at("10:00"), at("11:59"), at("12:00")].map((time) => shape.phase(time))).toEqual(["planned", "active", "active", "ended"]);
  });

  test("that was cancelled is ended at any time", () => {
    expect(cancelled.phase(at("11:00"))).toBe("ended");
  });

  test("leaves the map some hours after its end", () => {
    expect(shape.shown(shape.end + ENDED_SHOWN_MS - 1)).toBe(true);
    expect(shape.shown(shape.end + ENDED_SHOWN_MS)).toBe(false);
  });

  test("that moves is somewhere while it is active, and nowhere before, after, or once it is cancelled", () => {
    const times = ["2026-01-01T10:00:00Z", "2026-01-01T12:00:00Z"];
    const way = { points: [[30, 33], [31, 34]], times, radius_m: 1000, edges: "planar" as const };
    const moving = (state: Notice["state"]): Notice => {
      const row = notice("north:M", { state });
      return { ...row, pieces: row.pieces.map((piece) => ({ ...piece, way })) };
    };
    const shapes = new Shapes();
    shapes.update(rows(moving("received"), notice("north:A")), null, "north");
    expect(shapes.moving.map((one) => one.row.id)).toEqual(["north:M"]);
    const [found] = shapes.moving;
    expect(["09:59", "10:00", "11:00", "12:00"].map((time) => found!.placeAt(at(time)))).toEqual([null, [30, 33], [30.5, 33.5], null]);
    shapes.update(rows(moving("cancelled")), null, "north");
    expect(shapes.moving[0]!.placeAt(at("11:00"))).toBeNull();
    expect(shape.placeAt(at("11:00"))).toBeNull();
  });

  test("tells when it next changes", () => {
    expect(nextChange([shape], at("09:00"))).toBe(shape.start);
    expect(nextChange([shape], shape.start)).toBe(shape.end);
    expect(nextChange([shape], shape.end)).toBe(shape.end + ENDED_SHOWN_MS);
    expect(nextChange([], 0)).toBe(Infinity);
  });
});
