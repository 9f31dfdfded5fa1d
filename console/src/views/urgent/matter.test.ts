import { describe, expect, it } from "vitest";
import type { Urgent } from "../../state/picture.svelte";
import { byUrgency, effectClock, inBand, isUnsettled, movesOf, replyClock, stateKey, stopwatch } from "./matter";

const T0 = Date.parse("2026-01-01T00:00:00Z");
const at = (seconds: number): string => new Date(T0 + seconds * 1000).toISOString();

function row(changes: Partial<Urgent> = {}): Urgent {
  return {
    id: "a", kind: "cease", party: "north", to: "south", exercise: true, status: "asked", open: true, asked: at(0), received: at(5),
    step: 0, desk: null, next_step: null, reason: "a reason", emergency: null, place: null, place_words: null, text: null, about: null,
    replies: [], first_reply_s: null, effective_s: null, waiting: false, replies_waiting: [], ...changes,
  }; // prettier-ignore
}

const said = (move: Urgent["replies"][number]["move"], seconds: number) => ({
  party: "south", desk: "operations-cell", move, text: null, time: at(seconds), received: at(seconds), at: null,
}); // prettier-ignore

describe("an urgent matter", () => {
  it("may be answered by who was asked, and by nobody else", () => {
    expect(movesOf(row(), "south")).toEqual(["ceasing", "cannot", "not-us", "effective"]);
    expect(movesOf(row(), "north")).toEqual([]);
  });

  it("allows after each answer what the table allows", () => {
    expect(movesOf(row({ status: "ceasing" }), "south")).toEqual(["effective", "cannot", "not-us"]);
    expect(movesOf(row({ status: "cannot" }), "south")).toEqual(["ceasing", "effective"]);
    expect(movesOf(row({ status: "effective" }), "south")).toEqual([]);
    expect(movesOf(row({ kind: "emergency", status: "answered" }), "south")).toEqual(["heard", "assisting", "cannot", "not-us"]);
  });

  it("does not offer again what waits for the line", () => {
    expect(movesOf(row({ waiting: true, replies_waiting: ["ceasing"] }), "south")).not.toContain("ceasing");
  });

  it("is counted by each side from its own clock", () => {
    const now = T0 + 65_000;
    expect(replyClock(row(), "north", now)).toEqual({ seconds: 65, runs: true });
    expect(replyClock(row(), "south", now)).toEqual({ seconds: 60, runs: true });
  });

  it("shows the same figures on both sides once they stand", () => {
    const done = row({ status: "effective", replies: [said("ceasing", 20), said("effective", 90)], first_reply_s: 20, effective_s: 90 });
    for (const own of ["north", "south"]) {
      expect(replyClock(done, own, T0 + 1e9)).toEqual({ seconds: 20, runs: false });
      expect(effectClock(done, own, T0 + 1e9)).toEqual({ seconds: 90, runs: false });
    }
  });

  it("has no clock to effect where nobody ceases", () => {
    expect(effectClock(row({ status: "cannot" }), "north", T0)).toBeNull();
    expect(effectClock(row({ kind: "emergency" }), "north", T0)).toBeNull();
  });

  it("never counts below nought when clocks disagree", () => {
    expect(replyClock(row({ received: at(500) }), "south", T0).seconds).toBe(0);
  });

  it("is unsettled until it is answered and effective", () => {
    expect((["asked", "escalated", "ceasing"] as const).map((status) => isUnsettled(row({ status })))).toEqual([true, true, true]);
    expect((["cannot", "not-us", "effective", "answered"] as const).map((status) => isUnsettled(row({ status })))).toEqual([false, false, false, false]);
    expect(isUnsettled(row({ status: "effective", waiting: true }))).toBe(true);
  });
});

describe("the band", () => {
  const none = new Set<string>();

  it("keeps what is unsettled however old it is, also when somebody put it away", () => {
    const old = row({ status: "ceasing" });
    expect(inBand([old], "south", T0 + 1e12, new Set([stateKey(old)]))).toEqual([old]);
  });

  it("lets go of what is settled after a while, or when it is put away", () => {
    const done = row({ status: "effective", replies: [said("effective", 60)] });
    expect(inBand([done], "south", T0 + 120_000, none)).toEqual([done]);
    expect(inBand([done], "south", T0 + 120_000, new Set([stateKey(done)]))).toEqual([]);
    expect(inBand([done], "south", T0 + 3_600_000, none)).toEqual([]);
  });

  it("keeps a refusal for a whole watch before who asked", () => {
    const refused = row({ status: "cannot", replies: [said("cannot", 60)] });
    expect(inBand([refused], "north", T0 + 3_600_000, none)).toEqual([refused]);
    expect(inBand([refused], "south", T0 + 3_600_000, none)).toEqual([]);
  });

  it("shows again what changed after it was put away", () => {
    const before = row({ status: "cannot", replies: [said("cannot", 60)] });
    const after = { ...before, status: "effective" as const, replies: [...before.replies, said("effective", 90)] };
    expect(inBand([after], "south", T0 + 100_000, new Set([stateKey(before)]))).toEqual([after]);
  });

  it("puts first what waits for our answer", () => {
    const theirs = row({ id: "theirs", party: "south", to: "north", asked: at(9) });
    const ours = row({ id: "ours", asked: at(1) });
    const underWay = row({ id: "under-way", status: "ceasing", asked: at(20) });
    expect(byUrgency([theirs, underWay, ours], "south").map((one) => one.id)).toEqual(["ours", "theirs", "under-way"]);
  });
});

it("a stopwatch shows every second", () => {
  expect([0, 42.9, 1625, 3729, -3].map(stopwatch)).toEqual(["0:00", "0:42", "27:05", "1:02:09", "0:00"]);
});
