import { describe, expect, test } from "vitest";
import { altitudeOf, callsignOf, durationOf, numberOf, partsOf, placeOf, slotOf } from "./slots";

describe("slots of a phrase", () => {
  test("a slot's name is its type, and says which of its type it is", () => {
    expect(slotOf("time")).toEqual({ type: "time", nth: 1 });
    expect(slotOf("time-2")).toEqual({ type: "time", nth: 2 });
  });

  test("a phrase is words and slots in their order", () => {
    expect(partsOf("From {time} until {time-2}.")).toEqual([{ words: "From " }, { slot: "time" }, { words: " until " }, { slot: "time-2" }, { words: "." }]);
  });

  test("a place is whole billionths of a degree", () => {
    expect(placeOf({ lat: 35.523611111, lon: -35.8 })).toEqual({ lat: 35_523_611_111, lon: -35_800_000_000 });
  });

  test("an altitude keeps its unit and datum, and is none without them", () => {
    expect(altitudeOf({ value: "FL250", level: "" })).toEqual({ tenth_mm: 76_200_000, unit: "FL", datum: "STD" });
    expect(altitudeOf({ value: "5,000", level: "ft MSL" })).toEqual({ tenth_mm: 15_240_000, unit: "ft", datum: "MSL" });
    expect(altitudeOf({ value: "300", level: "m AGL" })).toEqual({ tenth_mm: 3_000_000, unit: "m", datum: "AGL" });
    expect(altitudeOf({ value: "5000", level: "" })).toBeNull();
    expect(altitudeOf({ value: "high", level: "FL" })).toBeNull();
  });

  test("a call sign is letters and figures as they are spoken", () => {
    expect(callsignOf(" cedar  12 ")).toBe("CEDAR 12");
    expect(callsignOf("Кедр 12")).toBeNull();
    expect(callsignOf("")).toBeNull();
    expect(callsignOf("A".repeat(17))).toBeNull();
  });

  test("a number is whole and not below nought, in the digits of any of the languages", () => {
    expect(numberOf("1,500")).toBe(1500);
    expect(numberOf("٤٢")).toBe(42);
    expect(numberOf("-1")).toBeNull();
    expect(numberOf("2.5")).toBeNull();
    expect(numberOf("1000000001")).toBeNull();
  });

  test("a duration is whole seconds", () => {
    expect(durationOf("5", "min")).toBe(300);
    expect(durationOf("1.5", "h")).toBe(5400);
    expect(durationOf("1.5", "s")).toBeNull();
    expect(durationOf("soon", "min")).toBeNull();
  });
});
