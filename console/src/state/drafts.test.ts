import { beforeEach, describe, expect, it } from "vitest";
import { Drafts } from "./drafts.svelte";
import { emptyDraft } from "../views/filing/draft";

class MemoryStorage implements Storage {
  [name: string]: unknown;
  #held = new Map<string, string>();
  full = false;

  get length(): number {
    return this.#held.size;
  }

  clear(): void {
    this.#held.clear();
  }

  getItem(key: string): string | null {
    return this.#held.get(key) ?? null;
  }

  key(index: number): string | null {
    return [...this.#held.keys()][index] ?? null;
  }

  removeItem(key: string): void {
    this.#held.delete(key);
  }

  setItem(key: string, value: string): void {
    if (this.full) throw new DOMException("full", "QuotaExceededError");
    this.#held.set(key, value);
  }
}

const NOW = Date.parse("2015-12-12T18:39:00Z");
const ANNA = { party: "north", name: "anna" };
const draft = { ...emptyDraft("A-1", ["south"], false), text: "half written" };
let storage: MemoryStorage;
let drafts: Drafts;

beforeEach(() => {
  storage = new MemoryStorage();
  drafts = new Drafts(storage);
});

describe("drafts", () => {
  it("come back as they were, with the time they were kept", () => {
    drafts.keep(ANNA, "new", draft, NOW);
    expect(new Drafts(storage).find(ANNA, "new", NOW)).toEqual({ saved: "2015-12-12T18:39:00.000Z", draft });
  });

  it("are not found by another officer, by the same name of another party, or for another notice", () => {
    drafts.keep(ANNA, "new", draft, NOW);
    expect(drafts.find({ party: "north", name: "boris" }, "new", NOW)).toBeNull();
    expect(drafts.find({ party: "south", name: "anna" }, "new", NOW)).toBeNull();
    expect(drafts.find(ANNA, "north:A-1", NOW)).toBeNull();
  });

  it("are gone once forgotten, and once emptied", () => {
    drafts.keep(ANNA, "new", draft, NOW);
    drafts.forget(ANNA, "new");
    expect(storage.length).toBe(0);
    drafts.keep(ANNA, "new", draft, NOW);
    drafts.keep(ANNA, "new", emptyDraft("A-1", ["south"], false), NOW);
    expect(storage.length).toBe(0);
  });

  it("of last month and what is no draft are thrown away, not shown", () => {
    drafts.keep(ANNA, "new", draft, NOW);
    expect(drafts.find(ANNA, "new", NOW + 31 * 86_400_000)).toBeNull();
    expect(storage.length).toBe(0);
    drafts.keep(ANNA, "new", draft, NOW);
    storage.setItem(storage.key(0)!, '{"saved":"2015-12-12T18:39:00Z","draft":{"v":0}}');
    expect(drafts.find(ANNA, "new", NOW)).toBeNull();
    drafts.keep(ANNA, "new", draft, NOW);
    storage.setItem(storage.key(0)!, "{half");
    expect(drafts.find(ANNA, "new", NOW)).toBeNull();
  });

  it("that the browser has no room for are said not to be kept, and stop nothing", () => {
    storage.full = true;
    expect(drafts.keep(ANNA, "new", draft, NOW)).toBe(false);
  });
});
