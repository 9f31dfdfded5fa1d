import { describe, expect, it } from "vitest";
import { allDesks, languagesIn, mannedBy, type Watch } from "./roster";

const watch = (party: string, desk: string, from: string, until: string): Watch => ({
  party, desk, languages: ["en"], from: `2026-01-01T${from}:00Z`, until: `2026-01-01T${until}:00Z`, on: false, statement: `${party} ${desk} ${from}`,
}); // prettier-ignore
const at = (time: string): number => Date.parse(`2026-01-01T${time}:00Z`);
const watches = [watch("south", "cell", "12:00", "18:00"), watch("south", "cell", "06:00", "12:00"), watch("north", "cell", "06:00", "18:00")];

describe("a desk", () => {
  it("is manned by the watch that is on, and the next one is told", () => {
    const found = mannedBy(watches, "south", "cell", at("11:59"));
    expect(found.now.map((one) => one.from)).toEqual(["2026-01-01T06:00:00Z"]);
    expect(found.next?.from).toBe("2026-01-01T12:00:00Z");
  });

  it("changes hands at the very minute", () => {
    expect(mannedBy(watches, "south", "cell", at("12:00")).now.map((one) => one.from)).toEqual(["2026-01-01T12:00:00Z"]);
  });

  it("is manned by nobody where nobody said so", () => {
    expect(mannedBy(watches, "south", "staff", at("08:00"))).toEqual({ now: [], next: null });
  });
});

it("desks that the agreement does not name stand after those that it names", () => {
  expect(allDesks(["staff", "cell"], [...watches, watch("south", "port", "06:00", "07:00")])).toEqual(["staff", "cell", "port"]);
});

it("languages are read as typed, once each, and what is none is refused", () => {
  expect(languagesIn("en, ru EN")).toEqual(["en", "ru"]);
  expect(languagesIn("zh-Hant")).toEqual(["zh-hant"]);
  expect(languagesIn("english!")).toBeNull();
  expect(languagesIn("  ")).toBeNull();
});
