import { describe, expect, test } from "vitest";
import type { Conflict } from "../../state/picture.svelte";
import { isHeading, meetingRanks, meetingSentence, rank, soonWords, standingOf, twoOf } from "./ranking";
import { readReason, reasonSentences } from "./reason";

const NOW = Date.parse("2026-03-14T03:00:00Z");
const at = (minutes: number): string => new Date(NOW + minutes * 60_000).toISOString();
const plain = (text: string): string => text.replace(/[\u2066-\u2069]/g, "");

function conflict(id: string, from: number, until: number, more: Partial<Conflict> = {}): Conflict {
  return {
    id, verdict: "conflict", notices: ["north:A", "south:B"], versions: [1, 2], parties: ["north", "south"], own: "north:A", peer: "south:B",
    party: "south", from: at(from), until: at(until), lower: "5,000 ft MSL", upper: "9,000 ft MSL", lower_ft: 5000, upper_ft: 9000, datum: "MSL",
    place: null, reason: "", exercise: false, rank: 1, state: "live", seen: at(-60), ...more,
  };
}

const swapId = (text: string): string => text.replace(/north|south/g, (party) => (party === "north" ? "south" : "north"));

/** The same conflict on the peer's console. */
function mirrored(row: Conflict): Conflict {
  return { ...row, own: row.peer, peer: row.own, party: row.party && swapId(row.party) };
}

describe("the ranking", () => {
  const rows = [
    conflict("late", 90, 120),
    conflict("soon", 10, 20),
    conflict("unsure", 5, 20, { verdict: "cannot-tell", rank: 2 }),
    conflict("past", -60, -1),
    conflict("gone", 30, 40, { state: "resolved" }),
  ];
  const shown = (past: boolean): string[] =>
    rank(rows, NOW, past).items.map((item) => (isHeading(item) ? `${item.standing} ${item.n}${item.folded ? " folded" : ""}` : item.id));

  test("live conflicts come first, soonest first; what cannot be told stands apart below; what is past is folded", () => {
    expect(shown(false)).toEqual(["conflict 2", "soon", "late", "cannot-tell 1", "unsure", "over 1 folded", "resolved 1 folded"]);
  });

  test("what is past is listed when it is asked for", () => {
    expect(shown(true).slice(-4)).toEqual(["over 1", "past", "resolved 1", "gone"]);
  });

  test("a conflict is over at the very end of its time, which the ranking has said", () => {
    expect(rank(rows, NOW, false).next).toBe(NOW + 20 * 60_000);
    expect(standingOf(rows[1]!, NOW + 20 * 60_000 - 1)).toBe("conflict");
    expect(standingOf(rows[1]!, NOW + 20 * 60_000)).toBe("over");
  });

  test("headings stand where the ranking says", () => {
    const { items, heads } = rank(rows, NOW, true);
    expect(heads).toEqual(items.flatMap((item, i) => (isHeading(item) ? [i] : [])));
  });

  test("a notice in a conflict and in one that cannot be told is marked by the conflict; past ones mark nothing", () => {
    const found = meetingRanks([conflict("x", 1, 2, { verdict: "cannot-tell" }), conflict("y", 1, 2, { notices: ["north:A", "south:C"] }), conflict("z", -2, -1, { notices: ["north:D", "south:D"] })], NOW);
    expect(Object.fromEntries(found)).toEqual({ "north:A": "conflict", "south:B": "cannot-tell", "south:C": "conflict" });
  });
});

describe("the two sides", () => {
  test("own comes first on both consoles", () => {
    expect(twoOf(conflict("x", 1, 2)).map((one) => one.id)).toEqual(["north:A", "south:B"]);
    expect(twoOf(mirrored(conflict("x", 1, 2))).map((one) => one.id)).toEqual(["south:B", "north:A"]);
  });

  test("each keeps its own version and party when they change places", () => {
    expect(twoOf(mirrored(conflict("x", 1, 2)))[0]).toEqual({ id: "south:B", version: 2, party: "south", own: true });
  });

  test("the sentence on one console is that on the other with the parties swapped", () => {
    for (const verdict of ["conflict", "cannot-tell"]) {
      for (const more of [{}, { lower: null, upper: null }, { from: null, until: null }]) {
        // the same names on both sides, so that only the parties differ
        const here = conflict("x", 10, 20, { verdict, notices: ["north:A", "south:A"], own: "north:A", peer: "south:A", ...more });
        const there = mirrored(here);
        const name = (party: string): string => party;
        expect(swapId(meetingSentence(here, NOW, name))).toBe(meetingSentence(there, NOW, name));
      }
    }
  });

  test("the sentence says who, when and how high", () => {
    expect(plain(meetingSentence(conflict("x", 10, 20), NOW, (party) => party.toUpperCase()))).toBe(
      "Our north:A and south:B of SOUTH would meet from 03:10Z to 03:20Z, between 5,000 ft MSL and 9,000 ft MSL.",
    );
  });

  test("a notice of two others is told without saying that either is ours", () => {
    expect(plain(meetingSentence(conflict("x", 10, 20, { own: null, peer: null, party: null }), NOW, (party) => party))).toMatch(/^north:A of north and south:B of south would meet/);
  });

  test("how soon is counted from now: before, during and after", () => {
    const row = conflict("x", 10, 20);
    expect([NOW, NOW + 12 * 60_000, NOW + 25 * 60_000].map((now) => plain(soonWords(row, now)))).toEqual(["in 10 min", "now, 8 min left", "5 min ago"]);
  });
});

describe("why", () => {
  // the engine's sentences, as its own tests pin them
  const WINDOW = "from 2026-03-14T03:10:00Z to 2026-03-14T03:20:00Z";

  test("an overlap is read", () => {
    expect(readReason(`volumes overlap ${WINDOW} between 5,000 ft MSL and 9,000 ft MSL`)).toEqual({ code: "overlap" });
  });

  test("every axis that is apart is read with what was agreed", () => {
    const text = `closer than agreed: 3.25 NM apart laterally (minimum 5.00 NM), 1,500 ft apart vertically (minimum 2,000 ft), 4 min 30 s apart in time (minimum 1 h 05 min), ${WINDOW} between FL 100 and FL 115`;
    expect(readReason(text)).toEqual({
      code: "closer",
      lateral_nm: { is: 3.25, least: 5 },
      vertical_ft: { is: 1500, least: 2000 },
      time_s: { is: 270, least: 3900 },
    });
    expect(reasonSentences(readReason(text)).map(plain)).toEqual([
      "They are closer than agreed.",
      "On the map they are 3.25 NM apart; 5.00 NM is agreed.",
      "In height they are 1,500 ft apart; 2,000 ft is agreed.",
      "In time they are 4 min 30 s apart; 1 h 05 min is agreed.",
    ]);
  });

  test("axes that overlap are not said to be apart", () => {
    expect(reasonSentences(readReason(`closer than agreed: 0 ft apart vertically (minimum 1,000 ft), ${WINDOW} between FL 100 and FL 100`))).toHaveLength(2);
  });

  test("heights from different levels are read, two and more, below zero too", () => {
    const two = readReason(`altitude datums differ: AGL against MSL; the vertical gap may be anything from -12,000 ft to 800 ft (minimum 1,000 ft, below zero is overlap) ${WINDOW}`);
    expect(two).toEqual({ code: "datums", datums: ["AGL", "MSL"], from_ft: -12_000, to_ft: 800, least_ft: 1000 });
    const three = readReason(`altitude datums differ: AGL, MSL, STD; the vertical gap may be anything from -1 ft to 2 ft (minimum 0 ft, below zero is overlap) ${WINDOW}`);
    expect(three).toMatchObject({ datums: ["AGL", "MSL", "STD"] });
  });

  test("two notices that are too intricate are said to be so", () => {
    expect(readReason("the two notices are too intricate to compare within the limit; file fewer or simpler pieces to get an answer")).toEqual({ code: "intricate" });
  });

  test("a sentence of another form is left to the engine's own words", () => {
    for (const text of ["", "closer than agreed", "volumes overlap", "a new kind of reason"]) expect(reasonSentences(readReason(text))).toEqual([]);
  });
});
