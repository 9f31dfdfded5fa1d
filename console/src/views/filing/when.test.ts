import { describe, expect, it } from "vitest";
import { fieldTime, parseWhen } from "./when";

const AFTER = Date.parse("2015-12-12T13:30:20Z");
const iso = (typed: string, after = AFTER): string | null => parseWhen(typed, after)?.iso ?? null;

describe("a typed time", () => {
  it.each([
    ["121400Z DEC 15", "2015-12-12T14:00:00Z"],
    ["121400z dec 2015", "2015-12-12T14:00:00Z"],
    ["12 14:00Z DEC 15", "2015-12-12T14:00:00Z"],
    ["121400ZDEC15", "2015-12-12T14:00:00Z"],
    ["121400Z", "2015-12-12T14:00:00Z"],
    ["121400Z DEC", "2015-12-12T14:00:00Z"],
    ["14:00", "2015-12-12T14:00:00Z"],
    ["1400Z", "2015-12-12T14:00:00Z"],
    ["2015-12-12T14:00Z", "2015-12-12T14:00:00Z"],
    ["2015-12-12 14:00:05", "2015-12-12T14:00:05Z"],
    ["2015-12-12T14:00:05.25Z", "2015-12-12T14:00:05.250000Z"],
    ["١٢١٤٠٠Z", "2015-12-12T14:00:00Z"],
  ])("%s is read as Zulu", (typed, wanted) => expect(iso(typed)).toBe(wanted));

  it("counts from the next whole minute when it begins with a plus", () => {
    expect(iso("+30 min")).toBe("2015-12-12T14:01:00Z");
    expect(iso("+30")).toBe("2015-12-12T14:01:00Z");
    expect(iso("+1h 15m")).toBe("2015-12-12T14:46:00Z");
    expect(iso("+2 h")).toBe("2015-12-12T15:31:00Z");
    expect(iso("+1:30")).toBe("2015-12-12T15:01:00Z");
  });

  it("is tomorrow's when that clock time is past today, and today's within the running minute", () => {
    expect(iso("13:29")).toBe("2015-12-13T13:29:00Z");
    expect(iso("13:30")).toBe("2015-12-12T13:30:00Z");
  });

  it("takes a day without month from the month in which it comes next", () => {
    expect(iso("010600Z")).toBe("2016-01-01T06:00:00Z");
    expect(iso("310600Z", Date.parse("2015-04-20T00:00:00Z"))).toBe("2015-05-31T06:00:00Z");
  });

  it("takes a date without year to be the near one", () => {
    expect(iso("010100Z JAN", Date.parse("2015-12-31T20:00:00Z"))).toBe("2016-01-01T01:00:00Z");
  });

  it.each(["", "soon", "25:00", "12:60", "321400Z DEC 15", "311400Z NOV 15", "121400Z XYZ 15", "2015-02-30T10:00Z", "14:00+03:00", "121400B DEC 15", "+0"])(
    "%s is not taken: it does not exist or is not Zulu",
    (typed) => expect(iso(typed)).toBeNull(),
  );

  it("stands in its field so that reading it again gives the same time", () => {
    for (const given of ["2015-12-12T14:00:00Z", "2015-12-12T14:00:05Z", "2015-12-12T14:00:05.250000Z", "1999-12-31T23:59:00Z"]) {
      expect(parseWhen(fieldTime(given), AFTER)?.iso).toBe(given);
    }
    expect(fieldTime("2015-12-12T14:00:00Z")).toBe("121400Z DEC 15");
  });
});
