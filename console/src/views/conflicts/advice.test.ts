import { describe, expect, test } from "vitest";
import type { Schemas } from "../../api/client";
import { heightWords, isOpen, leastOf, moverOf, movesWords, moveWords, type Option, ordered, type Proposal } from "./advice";

const plain = (text: string): string => text.replace(/[\u2066-\u2069]/g, "");
const move = (notice: string, later_us = 0, higher_tenth_mm = 0, aside_tenth_mm = 0, bearing_tenth_deg = 0): Schemas["Move"] => ({ notice, later_us, higher_tenth_mm, aside_tenth_mm, bearing_tenth_deg });
const proposal = (id: string, state: Proposal["state"], more: Partial<Proposal> = {}): Proposal => ({
  id, state, conflict: "c", party: "north", to: "south", option: "north/later", moves: [], notices: [], precedence: "routine", text: null, exercise: true,
  said: "2026-03-14T03:00:00Z", received: null, due: null, kept_due: null, kept: null, answer: null, answer_text: null, counters: null,
  ours_to_answer: false, ours_to_keep: null, answer_waits: null, ...more,
});

describe("advice in words", () => {
  test("each thing that changes has a sentence, and both notices are named", () => {
    expect(plain(movesWords([move("north:A", 21 * 60e6), move("south:B", -60e6)]))).toMatch(/north:A: 21 min later.*south:B: 1 min earlier/);
    expect(plain(movesWords([move("north:A", 60e6, -304_800 * 11)]))).toMatch(/north:A: 1 min later.*north:A: 1,100 ft lower/);
    expect(plain(movesWords([move("north:A", 0, 304_800)]))).toBe("north:A: 100 ft higher");
    expect(plain(movesWords([move("north:A", 0, 0, 18_520_000 * 4.5, 2925)]))).toMatch(/^north:A: 4.5 NM toward 29[23]/);
  });

  test("heights are told in the unit in which they are whole", () => {
    expect(plain(heightWords(304_800))).toBe("100 ft");
    expect(plain(heightWords(-1_100_000))).toBe("110 m");
  });

  test("the smallest of each kind is marked, from both sides alike, and not where two are as small", () => {
    const option = (key: string, ...moves: Schemas["Move"][]): Option => ({ key, moves, least: null, forbidden: [] });
    const options = [
      option("north/later", move("north:A", 56 * 60e6)), option("north/down", move("north:A", 0, -304_800 * 51)), option("north/aside", move("north:A", 0, 0, 5)),
      option("south/earlier", move("south:B", -46 * 60e6)), option("south/up", move("south:B", 0, 304_800 * 51)), option("south/aside", move("south:B", 0, 0, 4)),
      option("south/later-up", move("south:B", 60e6, 304_800)), option("both/north-later", move("north:A", 60e6), move("south:B", -60e6)),
    ]; // prettier-ignore
    const expected = [["south/aside", "aside"], ["south/earlier", "time"]];
    expect([...leastOf(options)].toSorted()).toEqual(expected);
    expect([...leastOf(options.toReversed())].toSorted()).toEqual(expected);
    expect(options.map((one) => moverOf(one, "north"))).toEqual(["own", "own", "own", "peer", "peer", "peer", "peer", "both"]);
  });

  test("beneath its notice's name a change is told without it", () => {
    expect(plain(moveWords(move("north:A", 21 * 60e6), "-only"))).toBe("21 min later");
    expect(plain(moveWords(move("north:A", 0, 0, 18_520_000 * 4.5, 2925), "-only"))).toMatch(/^4.5 NM toward 29[23]/);
  });

  test("what waits for somebody comes first, the newest first among equals", () => {
    const rows = [proposal("1", "declined"), proposal("2", "proposed"), proposal("3", "kept"), proposal("4", "accepted")];
    expect(ordered(rows).map((row) => row.id)).toEqual(["4", "2", "3", "1"]);
    expect(isOpen(proposal("5", "unanswered", { ours_to_answer: true }))).toBe(true);
    expect(isOpen(proposal("6", "moot"))).toBe(false);
  });
});
