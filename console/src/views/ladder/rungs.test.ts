import { describe, expect, test } from "vitest";
import { countdown, differences, lampOf, lampsOf, lampsWords, type LadderRow, type RungRow, RUNGS, silentUnits, waitsUnsigned } from "./rungs";

const plain = (text: string): string => text.replace(/[\u2066-\u2069]/g, "");
const rung = (more: Partial<RungRow> = {}): RungRow => ({ rung: "opened", state: "due", at: null, due: null, note: null, values: {}, ...more });
const ladder = (...states: RungRow["state"][]): LadderRow => ({
  party: "south",
  version: 1,
  statement: "s",
  rungs: RUNGS.map((one, i) => rung({ rung: one, state: states[i] ?? "due", due: one === "acted" ? null : "2026-03-14T03:05:00Z" })),
});

describe("the lamp of a rung", () => {
  test("what is owed until a time, what is owed until nobody knows when, and what is owed no more are three", () => {
    expect(lampOf(rung({ due: "2026-03-14T03:05:00Z" }), false)).toBe("due");
    expect(lampOf(rung(), false)).toBe("open");
    expect(lampOf(rung(), true)).toBe("none");
  });

  test("a read-back that differs is no done one, whether it was late or not", () => {
    for (const state of ["done", "late"] as const) expect(lampOf(rung({ rung: "read-back", state, note: "differs" }), false)).toBe("differs");
  });

  test("missing stays missing when the notice has ended", () => {
    expect(lampOf(rung({ state: "missing", note: "no-answer" }), true)).toBe("missing");
  });

  test("of several recipients the one that needs a hand shows", () => {
    const lamps = lampsOf([ladder("done", "done"), ladder("done", "missing"), ladder("done", "late")], false);
    expect(lamps.map((one) => one.lamp)).toEqual(["done", "missing", "due", "due", "open"]);
  });

  test("who does not see the lamps is told each rung with its state", () => {
    expect(lampsWords(lampsOf([ladder("done", "missing")], false))).toBe(
      "Delivered: done, Opened: MISSING, Read back: owed, Disseminated to units: owed, Acted on: open",
    );
  });
});

describe("a read-back in figures", () => {
  test("metres and minutes are said with their direction", () => {
    const found = differences({ agrees: false, place_m: 4012, middle_m: 6033, radius_m: -500, from_min: 60, until_min: -1 });
    expect(found.map((one) => plain(one.words))).toEqual([
      "4,012 m outside the volumes, 6,033 m from their middle",
      "500 m less than in the notice",
      "60 min later than in the notice",
      "1 min earlier than in the notice",
    ]);
  });

  test("no radius was restated: none is compared", () => {
    const found = differences({ agrees: true, place_m: 0, middle_m: 12, radius_m: null, from_min: 0, until_min: 0 });
    expect(found.map((one) => one.what)).toEqual(["place", "from", "until"]);
    expect(plain(found[0]!.words)).toBe("inside the volumes, 12 m from their middle");
  });
});

describe("what is waited for", () => {
  test("a near time is counted in seconds", () => {
    expect([59, 250, 3599].map((s) => plain(countdown(s)))).toEqual(["0:59", "4:10", "59:59"]);
    expect(countdown(7200)).toBe("2 h");
  });

  test("nobody told is not the same as nobody silent", () => {
    expect(silentUnits([])).toBe(null);
    expect(silentUnits([{ unit: "a", told: "t", acknowledged: "t" }])).toEqual([]);
    expect(silentUnits([{ unit: "a", told: "t", acknowledged: null }, { unit: "b", acknowledged: "t" }])!.map((one) => one.unit)).toEqual(["a"]);
  });

  test("what was said here waits until it is signed, and a second word waits again", () => {
    const filed = { kind: "receipt-filed", party: "north", values: { said: "receipt/read-back", about: "s" } };
    const signed = { kind: "read-back", party: "north", values: { about: "s" } };
    expect(waitsUnsigned([filed], "read-back", "s", "north")).toBe(true);
    expect(waitsUnsigned([filed, signed], "read-back", "s", "north")).toBe(false);
    expect(waitsUnsigned([filed, signed, filed], "read-back", "s", "north")).toBe(true);
    expect(waitsUnsigned([filed], "disseminated", "s", "north")).toBe(false);
    expect(waitsUnsigned([filed], "read-back", "other", "north")).toBe(false);
  });
});
