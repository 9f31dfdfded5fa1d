import { describe, expect, it } from "vitest";
import type { Line } from "../../state/picture.svelte";
import { answeredInARow, copyRank, rankOf, vouchedRank, type Slot } from "./words";

const slots = (...states: Slot["state"][]): Slot[] => states.map((state, i) => ({ slot: `2026-01-0${i + 1}T09:00:00Z`, state, path: "first", took_s: 1 }));
const line = (changes: Partial<Line>): Line => ({ state: "open", failing: null, observed: "open", declared: null, ...changes }) as Line;
const suspended = { scope: "all", kind: "suspended", since: "2026-01-01T00:00:00Z", reason: "a reason", by: "north" } as const;

describe("a line", () => {
  it("warns when it is silent, whatever was declared", () => {
    expect(rankOf(line({ observed: "silent" }))).toBe("warning");
    expect(rankOf(line({ observed: "silent", declared: suspended }))).toBe("warning");
  });

  it("is a caution where it is heard and somebody has declared it suspended", () => {
    expect(rankOf(line({ declared: suspended }))).toBe("caution");
  });

  it("warns when the records differ, though it is heard", () => {
    expect(rankOf(line({ state: "behind" }))).toBe("warning");
  });

  it("is well when it is open and nothing was declared", () => {
    expect(rankOf(line({}))).toBe("good");
  });
});

describe("who vouches", () => {
  const now = Date.parse("2026-01-01T01:00:00Z");
  const since = (text: string) => ({ since: text });

  it("is well while all is vouched for, and a moment after something was signed", () => {
    expect(vouchedRank({ since: null }, now)).toBe("good");
    expect(vouchedRank(since("2026-01-01T00:59:45Z"), now)).toBe("good");
  });

  it("is a caution after a while and warns when the node alarms", () => {
    expect(vouchedRank(since("2026-01-01T00:59:00Z"), now)).toBe("caution");
    expect(vouchedRank(since("2026-01-01T00:50:00Z"), now)).toBe("warning");
  });

  it("warns of a copy that is full, though it has all", () => {
    expect(copyRank({ since: null, full: true }, now)).toBe("warning");
    expect(copyRank({ since: null, full: false }, now)).toBe("good");
  });
});

describe("the streak", () => {
  it("counts answered checks back to the last one that was not", () => {
    expect(answeredInARow(slots("answered", "missed", "answered", "late", "answered"))).toBe(3);
    expect(answeredInARow(slots("answered", "unsent"))).toBe(0);
    expect(answeredInARow([])).toBe(0);
  });

  it("does not judge a check that still waits", () => {
    expect(answeredInARow(slots("missed", "answered", "waiting"))).toBe(1);
  });
});
