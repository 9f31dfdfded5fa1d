import { describe, expect, it } from "vitest";
import type { Still } from "../filing/draft";
import { addressOf, type Answer, countNotices, isComplete, readShape, type Row, sentencesOf, verdictOf, writeShape } from "./question";

const UNTIL = "2015-12-12T15:00:00Z";

function answer(complete: string | null, ...states: Row["state"][]): Answer {
  const notices = states.map((state, i) => ({ id: `south:S-${i}`, version: 1, state }) as Row);
  return { notices, complete_until: complete, limits: [], now: UNTIL, clock: "UTC" };
}

describe("the answer's sentence", () => {
  it("is yes when one notice stands, whatever else was replaced", () => {
    expect(verdictOf(answer(null, "replaced", "live"), UNTIL)).toBe("yes");
  });

  it("says that there was one once when all were replaced or cancelled", () => {
    expect(verdictOf(answer(UNTIL, "replaced", "cancelled"), UNTIL)).toBe("yes-once");
  });

  it("is no only where the record is complete to the end of what was asked", () => {
    expect(verdictOf(answer(UNTIL), UNTIL)).toBe("no");
    expect(verdictOf(answer("2015-12-12T15:00:01Z"), UNTIL)).toBe("no");
  });

  it("cannot be given where more may still come, or heads were never compared", () => {
    expect(verdictOf(answer("2015-12-12T14:59:59Z"), UNTIL)).toBe("cannot");
    expect(verdictOf(answer(null), UNTIL)).toBe("cannot");
    expect(isComplete(answer(null), UNTIL)).toBe(false);
  });

  it("does not depend on which party is asked about or asking", () => {
    const swapped = (given: Answer): Answer => ({
      ...given,
      notices: given.notices.map((row) => ({ ...row, party: "north", id: row.id.replace("south", "north") })),
    });
    for (const given of [answer(UNTIL, "live"), answer(UNTIL, "cancelled"), answer(UNTIL), answer(null)]) {
      expect(verdictOf(swapped(given), UNTIL)).toBe(verdictOf(given, UNTIL));
    }
  });

  it("tells those that stand from those that were replaced or cancelled, and says when more may come", () => {
    expect(sentencesOf(answer(UNTIL, "live", "cancelled", "live"), UNTIL)).toEqual([
      { key: "yes", n: 2 },
      { key: "also-once", n: 1 },
    ]);
    expect(sentencesOf(answer(null, "replaced"), UNTIL)).toEqual([
      { key: "yes-once", n: 1 },
      { key: "more-may-come", n: 0 },
    ]);
    expect(sentencesOf(answer(null), UNTIL)).toEqual([{ key: "cannot", n: 0 }]);
    expect(sentencesOf(answer(UNTIL), UNTIL)).toEqual([{ key: "no", n: 0 }]);
  });

  it("counts notices and not their versions", () => {
    const twice = answer(UNTIL, "replaced", "live");
    twice.notices[1]!.id = twice.notices[0]!.id;
    expect(countNotices(twice)).toEqual({ live: 1, once: 0 });
  });
});

describe("a question in an address", () => {
  const shapes: Still[] = [
    { kind: "circle", at: ["35.7870", "-35.5"], size: "5.0", unit: "nm" },
    { kind: "corridor", points: [["1", "2"], ["3", "4"]], size: "900", unit: "m" },
    { kind: "area", polygons: [[[["1", "2"], ["3", "2"], ["3", "4"], ["1", "2"]]]] },
  ];

  it.each(shapes.map((shape) => [shape.kind, shape] as const))("gives the same %s again, every digit", (_kind, shape) => {
    expect(readShape(writeShape(shape)!)).toEqual(shape);
  });

  it("leaves out an area that is too long or has holes", () => {
    const ring = Array.from({ length: 200 }, (_, i) => [`${i / 1000}`, "2"] as [string, string]);
    expect(writeShape({ kind: "area", polygons: [[ring]] })).toBeNull();
    const hole: Still = { kind: "area", polygons: [[[["1", "2"]], [["1", "2"]]]] };
    expect(writeShape(hole)).toBeNull();
  });

  it.each(["", "circle", "circle:1,2", "circle:91,2:5nm", "circle:1,2:5km", "area:1,2;3,4", "line:1,2:5nm", "area:1,2;3,4;x,6", "blob:1,2:5nm", "circle:1,2,3:5nm"])(
    "that reads %s is no question",
    (text) => expect(readShape(text)).toBeNull(),
  );
});

it("a question's address names the party only where one is asked about", () => {
  const shape: Still = { kind: "circle", at: ["35", "36"], size: "5", unit: "nm" };
  const asked = { shape, from: "2015-12-12T14:00:00Z", until: UNTIL, by: null };
  expect(addressOf(asked)).toEqual({ area: "circle:36,35:5nm", from: asked.from, until: UNTIL });
  expect(addressOf({ ...asked, by: "south" }).by).toBe("south");
});
