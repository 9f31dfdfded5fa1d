import { expect, it } from "vitest";
import { sizeText } from "./size";

it("a size in metres is printed with its miles, marked where they are rounded", () => {
  expect(sizeText({ kind: "circle", at: ["1", "2"], size: "9260", unit: "m" })).toBe("9260 m (5 NM)");
  expect(sizeText({ kind: "circle", at: ["1", "2"], size: "10000", unit: "m" })).toBe("10000 m (≈ 5.4 NM)");
});

it("a size in miles is printed as it was typed", () => {
  expect(sizeText({ kind: "corridor", points: [], size: "2.50", unit: "nm" })).toBe("2.50 NM");
});
