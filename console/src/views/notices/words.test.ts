import { describe, expect, test } from "vitest";
import type { Notice } from "../../state/picture.svelte";
import { historyWords, type HistoryRow, sentTimes } from "./history";
import { lengthWords, shapeOf } from "./shape";
import { bandsOf, betweenWords, figures, stateSentences, timesWords } from "./words";

const NOW = Date.parse("2026-03-14T03:00:00Z");
const at = (minutes: number): string => new Date(NOW + minutes * 60_000).toISOString();
const plain = (text: string): string => text.replace(/[\u2066-\u2069]/g, "");
const context = { party: "north", now: NOW, nameOf: (party: string): string => ({ north: "North", south: "South", east: "East" })[party] ?? party };

function receipt(party: string, received: number, opened: number | null = null, rule: string | null = null): Notice["receipts"][number] {
  return { party, answer: rule ? "refused" : "delivered", rule, received: at(received), opened: opened === null ? null : at(opened), flags: [] };
}

function notice(more: Partial<Notice> = {}): Notice {
  return {
    id: "north:A", version: 1, party: "north", exercise: false, state: "delivered", start: at(30), end: at(90), received: at(28), lead_time_s: 120,
    agreed_lead_s: 1800, late: true, activity: "patrol", precedence: "routine", region: null, text: null, text_cut: false, to: ["south"],
    waiting_version: null, waiting_for: [], opened_by: [], receipts: [], ladder: [], pieces: [], cannot_draw: false, ...more,
  };
}

const said = (row: Notice, who = context): string[] => stateSentences(row, who).map(plain);

describe("figures in a sentence", () => {
  test("they read from left to right, but a duration in Hebrew or Arabic as its words do", () => {
    expect(figures("FL 200")).toBe("\u2066FL 200\u2069");
    expect(figures("1 h 46 min")).toBe("\u20661 h 46 min\u2069");
    for (const text of ["1 \u0633 46 \u062f", "1 \u05e9\u05e2\u05f3 46 \u05d3\u05e7\u05f3"]) expect(figures(text)).toBe(`\u2067${text}\u2069`);
  });
});

describe("the state of a notice in a sentence", () => {
  test("received and opened are told with both times and the lead", () => {
    expect(said(notice({ receipts: [receipt("south", 28, 41)] }))).toEqual(["South received it at 03:28Z, 2 min before its start, and an officer opened it at 03:41Z."]);
  });

  test("received after the start is said as such", () => {
    expect(said(notice({ receipts: [receipt("south", 35)] }))).toEqual(["South received it at 03:35Z, 5 min after its start."]);
  });

  test("what has not happened is not said: no receipt, no opening", () => {
    expect(said(notice({ to: ["east", "south"], receipts: [receipt("south", 28)] }))).toEqual([
      "South received it at 03:28Z, 2 min before its start.",
      "No receipt yet from East.",
    ]);
  });

  test("a refusal names the rule, in words where they are known", () => {
    expect(said(notice({ state: "refused", receipts: [receipt("south", 28, null, "exercise-only")] }))).toEqual([
      "South has it since 03:28Z and refused it: the agreement is for exercises only.",
    ]);
    expect(said(notice({ state: "refused", receipts: [receipt("south", 28, null, "new-rule")] }))[0]).toContain("refused it: new-rule.");
  });

  test("a notice that waits unsigned says for whom", () => {
    expect(said(notice({ state: "waiting", to: ["south", "east"], received: null, lead_time_s: null }))).toEqual(["Waiting here, unsigned, until the line is open: South and East."]);
  });

  test("many recipients are counted", () => {
    const to = ["a", "b", "c", "d"];
    expect(said(notice({ to, receipts: [receipt("a", 1, 2), receipt("b", 1), receipt("c", 1, null, "x")] }))).toEqual([
      "Of 4 recipients 2 received it and 1 opened it.",
      "Some refused it.",
    ]);
  });

  test("a cancelled notice says so first, and its receipts are of the cancellation", () => {
    expect(said(notice({ state: "cancelled", receipts: [receipt("south", 5)] }))).toEqual(["This notice is cancelled.", "South received the cancellation at 03:05Z."]);
  });

  test("a peer's notice says when it came and whether an officer here opened it", () => {
    const row = notice({ id: "south:B", party: "south", to: ["north"], state: "received" });
    expect(said({ ...row, receipts: [receipt("north", 28)] })).toEqual(["It came from South at 03:28Z, 2 min before its start.", "No officer here has opened it yet."]);
    expect(said({ ...row, receipts: [receipt("north", 28, 29)] })[1]).toBe("An officer here opened it at 03:29Z.");
  });

  test("both parties read the same sentences with the names swapped", () => {
    const swap = (text: string): string => text.replace(/north|south|North|South/g, (name) => ({ north: "south", south: "north", North: "South", South: "North" })[name]!);
    const rows = [notice({ receipts: [receipt("south", 28, 41)] }), notice({ id: "south:B", party: "south", to: ["north"], state: "received", receipts: [receipt("north", 28)] })];
    for (const row of rows) {
      const other = JSON.parse(swap(JSON.stringify(row))) as Notice;
      expect(said(other, { ...context, party: "south" })).toEqual(said(row).map(swap));
    }
  });

  test("a name that turns the text round stays between its isolates", () => {
    const [sentence] = stateSentences(notice({ receipts: [receipt("south", 28)] }), { ...context, nameOf: () => "\u202Eevil" });
    expect(sentence).not.toContain("\u202E");
    expect(sentence!.startsWith("\u2068⟨U+202E⟩evil\u2069")).toBe(true);
  });
});

describe("the words of a row", () => {
  test("a unit and datum that both edges have is said once, and two are both said", () => {
    expect(betweenWords("5,000 ft MSL", "12,000 ft MSL")).toBe("5,000 – 12,000 ft MSL");
    expect(betweenWords("0 ft MSL", "FL 250")).toBe("0 ft MSL – FL 250");
    expect(betweenWords("300 ft AGL", "9,000 ft MSL")).toBe("300 ft AGL – 9,000 ft MSL");
    expect(betweenWords("FL 100", "FL 250")).toBe("FL 100 – FL 250");
  });

  test("the same band in many pieces is listed once", () => {
    const piece = { outline: [], start: at(0), end: at(1), lower: { text: "0 ft MSL", ft: 0, datum: "MSL" }, upper: { text: "FL 100", ft: 10_000, datum: "STD" } };
    expect(bandsOf({ pieces: [piece, { ...piece }, { ...piece, upper: { text: "FL 200", ft: 20_000, datum: "STD" } }] })).toEqual(["0 ft MSL – FL 100", "0 ft MSL – FL 200"]);
  });

  test("the day is said where it is another, at either end", () => {
    expect(timesWords({ start: at(60), end: at(120) }, NOW)).toBe("04:00Z – 05:00Z");
    expect(timesWords({ start: at(60), end: at(1380) }, NOW)).toBe("04:00Z – 15 MAR 02:00Z");
    expect(timesWords({ start: at(1500), end: at(1560) }, NOW)).toBe("15 MAR 04:00Z – 05:00Z");
    expect(timesWords({ start: at(1500), end: at(4500) }, NOW)).toBe("15 MAR 04:00Z – 17 MAR 06:00Z");
  });
});

describe("history", () => {
  const row = (kind: string, party: string, values: Record<string, unknown> = {}, version = 1): HistoryRow =>
    ({ time: at(0), kind, party, officer: null, desk: null, version, entry: 1, statement: null, values }) as HistoryRow;

  test("every kind has words for own and peer", () => {
    const kinds = ["filed", "signed", "received", "cancelled", "delivered", "refused", "opened", "opened-told", "conflict", "conflict-resolved", "alarm", "alarm-acknowledged", "cease", "cease-effective", "emergency", "escalated", "message", "answer", "call", "call-agreed", "receipt-filed", "read-back", "read-back-differs", "disseminated", "acted", "deadline-passed", "no-answer", "other"];
    for (const kind of kinds) for (const party of ["north", "south"]) expect(historyWords(row(kind, party), context)).not.toMatch(/^detail\.|\{/);
  });

  test("each answer to a request has words of its own", () => {
    const words = [
      ...["ceasing", "cannot", "not-us"].map((reply) => row("cease-reply", "south", { reply })),
      ...["heard", "assisting", "cannot", "not-us"].map((reply) => row("emergency-reply", "south", { reply })),
      row("call-agreed", "south", { agrees: false }),
      ...["delivered", "refused", "opened"].map((kind) => row(kind, "south", { of: "hotline/cease", rule: "value-wrong" })),
    ].map((one) => historyWords(one, context));
    for (const one of words) expect(one).not.toMatch(/^detail\.|\{/);
    expect(new Set(words).size).toBe(words.length);
  });

  test("a first filing, an amendment and a cancellation are told apart", () => {
    const words = [row("filed", "north", { said: "activity/notice" }), row("filed", "north", { said: "activity/notice" }, 2), row("filed", "north", { said: "activity/cancel" }, 3)];
    expect(words.map((one) => historyWords(one, context))).toEqual(["Filed", "Amendment filed", "Cancellation filed"]);
  });

  test("the peer's times are by its own clock", () => {
    expect(plain(historyWords(row("delivered", "south", { received: at(7), to: "north" }), context))).toBe("South received it at 03:07Z");
  });

  test("sent is when the newest version was signed for each recipient", () => {
    const rows = [row("signed", "north", { to: "south" }, 1), { ...row("signed", "north", { to: "south" }, 2), time: at(9) }, row("received", "south", { to: "north" }, 2)];
    expect([...sentTimes(rows, "north", 2)]).toEqual([["south", at(9)]]);
  });
});

describe("shapes", () => {
  test("a ring's last position, which repeats the first, is not counted; a hole is told", () => {
    const ring = [[0, 0], [1, 0], [1, 1], [0, 0]];
    const shape = shapeOf({ type: "Polygon", coordinates: [ring, ring] });
    expect([shape.kind, shape.corners, shape.rings.map((one) => one.hole)]).toEqual(["area", 6, [false, true]]);
  });

  test("a point is a circle, a line a corridor", () => {
    expect(shapeOf({ type: "Point", coordinates: [1, 2] }).kind).toBe("circle");
    expect(shapeOf({ type: "LineString", coordinates: [[1, 2], [3, 4]] })).toMatchObject({ kind: "corridor", corners: 2 });
  });

  test("a length is said in both units", () => {
    expect(lengthWords(18_520)).toBe("10.0 NM (18.5 km)");
  });
});
