import { expect, it } from "vitest";
import { cutList, cutText, FITS } from "./cut";

it("what fits is not cut and not marked", () => {
  expect(cutText("short\ntext", 80)).toEqual({ text: "short\ntext", cut: false });
  expect(cutList([1, 2], 2)).toEqual({ shown: [1, 2], left: 0 });
});

it("a long text is cut between whole characters and marked, and so is one of many lines", () => {
  const { text, cut } = cutText("🛩".repeat(100), 10);
  expect([...text]).toHaveLength(10);
  expect(text.endsWith("🛩")).toBe(true);
  expect(cut).toBe(true);
  expect(cutText("a\n".repeat(500), 80)).toEqual({ text: "a\na", cut: true });
});

it("a long list says how many are left", () => expect(cutList([1, 2, 3], 1)).toEqual({ shown: [1], left: 2 }));

it("each step of fitting leaves less than the one before it", () => {
  for (let i = 1; i < FITS.length; i++) {
    for (const name of ["text", "rows", "positions", "height"] as const) expect(FITS[i]![name]).toBeLessThan(FITS[i - 1]![name]);
  }
});
