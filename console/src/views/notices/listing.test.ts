import { describe, expect, test } from "vitest";
import type { Notice } from "../../state/picture.svelte";
import { type Entry, group, isHeading, Listing, narrow, phaseOf, readFilter, RECENT_MS, SORTS } from "./listing";

const NOW = Date.parse("2026-03-14T03:00:00Z");
const at = (minutes: number): string => new Date(NOW + minutes * 60_000).toISOString();

function notice(id: string, start: number, end: number, more: Partial<Notice> = {}): Notice {
  return {
    id, version: 1, party: id.split(":")[0]!, exercise: false, state: "delivered", start: at(start), end: at(end),
    received: at(start - 60), lead_time_s: 3600, agreed_lead_s: 1800, late: false, activity: "patrol", precedence: "routine",
    region: null, text: null, text_cut: false, to: [], waiting_version: null, waiting_for: [], opened_by: [], receipts: [], ladder: [],
    pieces: [], cannot_draw: false, ...more,
  };
}

const rows = (...all: Notice[]): Map<string, Notice> => new Map(all.map((row) => [row.id, row]));
const ids = (entries: readonly Entry[]): string[] => entries.map((entry) => entry.row.id);
const none = (): string => "";
const ALL = readFilter({});

function random(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
}

describe("the order of the list", () => {
  test("a row that changes one at a time ends where sorting all again would put it", () => {
    const next = random(7);
    for (const sort of SORTS) {
      const kept = new Listing();
      let all = rows(...Array.from({ length: 60 }, (_, i) => notice(`${i % 2 ? "north" : "south"}:A-${i}`, i, i + 30)));
      kept.order(all, "north", sort);
      for (let i = 0; i < 80; i++) {
        const start = Math.floor(next() * 100);
        const row = notice(`${next() < 0.5 ? "north" : "south"}:A-${Math.floor(next() * 70)}`, start, start + 10, {
          received: next() < 0.3 ? null : at(Math.floor(next() * 100)),
          lead_time_s: next() < 0.3 ? null : Math.floor(next() * 50),
        });
        all = new Map(all).set(row.id, row);
        expect(ids(kept.order(all, "north", sort))).toEqual(ids(new Listing().order(all, "north", sort)));
      }
    }
  });

  test("rows and order that did not change give the very same array", () => {
    const listing = new Listing();
    const all = rows(notice("north:A", 0, 10), notice("south:B", 5, 10));
    expect(listing.order(all, "north", "start")).toBe(listing.order(all, "north", "start"));
  });

  test("a row that did not change keeps its entry, whatever happens to others", () => {
    const listing = new Listing();
    const all = rows(...Array.from({ length: 20 }, (_, i) => notice(`north:A-${i}`, i, i + 1)));
    const before = listing.order(all, "north", "start")[3];
    expect(listing.order(new Map(all).set("south:Z", notice("south:Z", 99, 100)), "north", "start")[3]).toBe(before);
  });

  test("a ledger that was replaced by a shorter one leaves none of the old rows", () => {
    const listing = new Listing();
    listing.order(rows(notice("north:A", 0, 1), notice("north:B", 0, 1)), "north", "start");
    expect(ids(listing.order(rows(notice("north:C", 0, 1)), "north", "start"))).toEqual(["north:C"]);
  });

  test("a notice that nobody has received stands first among the newest and last among the shortest leads", () => {
    const all = rows(notice("north:A", 10, 20), notice("north:B", 10, 20, { received: null, lead_time_s: null }));
    expect(ids(new Listing().order(all, "north", "received"))).toEqual(["north:B", "north:A"]);
    expect(ids(new Listing().order(all, "north", "lead"))).toEqual(["north:A", "north:B"]);
  });

  test("swapping the parties mirrors the list: own stays own, and no name wins", () => {
    const swap = (id: string): string => id.replace(/^(north|south)/, (party) => (party === "north" ? "south" : "north"));
    const all = [notice("north:A", 0, 10), notice("south:A", 0, 10), notice("south:B", 0, 10), notice("north:C", -5, 10)];
    const mirrored = all.map((row) => ({ ...row, id: swap(row.id), party: swap(row.party) }));
    for (const sort of SORTS) {
      const here = ids(new Listing().order(rows(...all), "north", sort));
      const there = ids(new Listing().order(rows(...mirrored), "south", sort));
      expect(there).toEqual(here.map(swap));
    }
  });
});

describe("what the list shows", () => {
  const all = rows(
    notice("north:ACTIVE", -10, 10),
    notice("south:NEXT", 30, 60, { region: "Latakia coast" }),
    notice("south:SOON", 5, 60, { state: "received", text: "Two tankers" }),
    notice("north:JUST", -90, -30),
    notice("north:OLD", -300, -200),
    notice("south:OFF", 20, 50, { state: "cancelled" }),
  );
  const order = new Listing().order(all, "north", "start");
  const shown = (params: Record<string, string>, now = NOW, time = NOW): string[] => {
    const filter = readFilter(params);
    const found = narrow(order, filter, new Map([["north:ACTIVE", 1]]), (row) => `word-${row.activity}`);
    return group(found, filter, now, time).items.map((item) => (isHeading(item) ? `${item.group} ${item.n}+${item.hidden}` : item.row.id));
  };

  test("active come first, then the next to start, then what ended; the cancelled stand with the ended", () => {
    expect(shown({})).toEqual(["active 1+0", "north:ACTIVE", "planned 2+0", "south:SOON", "south:NEXT", "ended 2+1", "south:OFF", "north:JUST"]);
  });

  test("what ended more than an hour before the time shown is counted and not listed", () => {
    expect(shown({}).at(-3)).toBe("ended 2+1");
    expect(shown({ ended: "all" })).toContain("north:OLD");
    expect(shown({}, NOW, NOW - 200 * 60_000)).toContain("north:OLD");
  });

  test("asking for the ended shows all of them and nothing else", () => {
    expect(shown({ phase: "ended" })).toEqual(["ended 3+0", "south:OFF", "north:JUST", "north:OLD"]);
  });

  test("a search looks at id, region, text, party and the words for codes, and wants every word", () => {
    expect(shown({ q: "LATAKIA" })).toContain("south:NEXT");
    expect(shown({ q: "tankers south" })).toContain("south:SOON");
    expect(shown({ q: "tankers north" })).toEqual([]);
    expect(shown({ q: "word-patrol" })).toHaveLength(8);
  });

  test("own, state and conflict leave only those", () => {
    expect(shown({ side: "own" }).filter((id) => id.startsWith("south"))).toEqual([]);
    expect(shown({ state: "received" })).toEqual(["planned 1+0", "south:SOON"]);
    expect(shown({ conflict: "1" })).toEqual(["active 1+0", "north:ACTIVE"]);
  });

  test("an address that names what is not known shows everything", () => {
    expect(readFilter({ side: "enemy", phase: "x", sort: "party", state: "?" })).toEqual(ALL);
  });

  test("the grouping says when the clock changes it, and does not change before", () => {
    const { next } = group(order, ALL, NOW, NOW);
    expect(next).toBe(NOW + 5 * 60_000);
    expect(shown({}, next - 1, next - 1)).toEqual(shown({}));
    expect(shown({}, next, next)).not.toEqual(shown({}));
  });

  test("what ended is left out an hour later, at the very time that was said", () => {
    const ended = new Listing().order(rows(notice("north:A", -20, -10)), "north", "start");
    const { next } = group(ended, ALL, NOW, NOW);
    expect(next).toBe(NOW - 10 * 60_000 + RECENT_MS + 1);
    expect(group(ended, ALL, next - 1, next - 1).shown).toBe(1);
    expect(group(ended, ALL, next, next).shown).toBe(0);
  });

  test("a notice is active from its start and no longer at its end", () => {
    const entry = order.find((one) => one.row.id === "south:SOON")!;
    expect(phaseOf(entry, entry.start - 1)).toBe("planned");
    expect(phaseOf(entry, entry.start)).toBe("active");
    expect(phaseOf(entry, entry.end)).toBe("ended");
  });

  test("nothing to narrow gives the very same rows", () => {
    expect(narrow(order, ALL, new Map(), none)).toBe(order);
  });
});
