import { describe, expect, it } from "vitest";
import { numberText, readExact, writeExact } from "./exact";

describe("exact JSON", () => {
  it("writes what it read letter for letter, whatever the numbers look like", () => {
    const text = '{"a":[35.0140,1e-9,-0.5,250,12345678901234567890.123],"b":{"c":"1.50 \\"2\\"","d":null,"e":true}}';
    expect(writeExact(readExact(text))).toBe(text);
  });

  it("leaves digits inside texts alone, escaped quotes included", () => {
    expect(readExact('{"text":"at 12.50 \\"FL 250\\" \\\\"}')).toEqual({ text: 'at 12.50 "FL 250" \\' });
  });

  it("refuses what is no JSON", () => {
    expect(() => readExact('{"a":01x}')).toThrow();
  });
});

describe("typed numbers", () => {
  it.each([
    ["5,000", "5000"],
    ["5 000", "5000"],
    ["007", "7"],
    ["0", "0"],
    ["+3", "3"],
    ["−2.50", "-2.50"],
    ["٢٥٠", "250"],
    ["1234.5", "1234.5"],
  ])("%s is %s, and the digits after the point stay as typed", (typed, wanted) => expect(numberText(typed)).toBe(wanted));

  it.each(["", "1,5", "12,34", "FL250", "1e5", "1.2.3", "--1"])("%s is no number: a comma with other than three digits would be a guess", (typed) =>
    expect(numberText(typed)).toBeNull(),
  );
});
