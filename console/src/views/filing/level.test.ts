import { expect, it } from "vitest";
import { edgeReady, LEVELS, levelOf, readEdge, unitOf } from "./level";

it("a flight level is always standard pressure, and every level comes back from its unit and datum", () => {
  expect(unitOf("FL")).toEqual({ unit: "FL", datum: "STD" });
  for (const level of LEVELS) expect(levelOf(unitOf(level).unit, unitOf(level).datum)).toBe(level);
  expect(levelOf("furlong", "MSL")).toBe("");
});

it.each([
  ["FL250", { value: "250", level: "FL" }],
  ["5000 ft MSL", { value: "5000", level: "ft MSL" }],
  ["5,000ft amsl", { value: "5,000", level: "ft MSL" }],
  ["300 m agl", { value: "300", level: "m AGL" }],
  ["GND", { value: "0", level: "ft AGL" }],
])("%s typed into one field sets number, unit and datum", (typed, wanted) => expect(readEdge(typed, "")).toEqual(wanted));

it("a number alone keeps the level chosen beside it, and a unit without datum sets none", () => {
  expect(readEdge("4500", "m MSL")).toEqual({ value: "4500", level: "m MSL" });
  expect(readEdge("4500 ft", "")).toEqual({ value: "4500 ft", level: "" });
});

it("an edge without a level is not ready, because a number alone says nothing", () => {
  expect(edgeReady({ value: "5000", level: "" })).toBe(false);
  expect(edgeReady({ value: "five", level: "FL" })).toBe(false);
  expect(edgeReady({ value: "5,000", level: "ft MSL" })).toBe(true);
});
