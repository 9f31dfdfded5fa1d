/**
 * The list of notices: which, in what order, under which heading. Made for 100,000 rows that change a few at a time: what is worked out
 * of a row is kept with it, and a changed row is merged into the order instead of sorting all again.
 */
import type { Notice } from "../../state/picture.svelte";

export type Phase = "active" | "planned" | "ended";
export const PHASES: readonly Phase[] = ["active", "planned", "ended"];
export const SORTS = ["start", "received", "lead"] as const;
export type Sort = (typeof SORTS)[number];
export const SIDES = ["own", "peer"] as const;
export type Side = (typeof SIDES)[number];
export const STATES = ["waiting", "filed", "delivered", "refused", "received", "cancelled"] as const;

/** What ended longer ago than this is folded away until it is asked for. */
export const RECENT_MS = 3_600_000;

/** A row and what the list needs of it. The same object as long as the row is the same. */
export interface Entry {
  row: Notice;
  own: boolean;
  start: number; // milliseconds since the epoch
  end: number;
  received: number | null;
  words: string | null; // what a search looks through; made when first searched
}

export interface Filter {
  query: string;
  side: Side | null;
  phase: Phase | null;
  state: string | null;
  conflict: boolean; // only those in a conflict that still is
  ended: boolean; // those that ended long ago too
  sort: Sort;
}

/** A line that stands over a group of rows. */
export interface Heading {
  group: Phase;
  n: number;
  hidden: number; // not shown, because they ended long ago
}

export interface Grouped {
  items: (Entry | Heading)[];
  heads: number[]; // where the headings stand
  shown: number;
  /** When the clock alone changes the grouping next, in milliseconds since the epoch. */
  next: number;
}

export function isHeading(item: Entry | Heading): item is Heading {
  return "group" in item;
}

export function itemKey(item: Entry | Heading): string {
  return isHeading(item) ? ` ${item.group}` : item.row.id;
}

export const PARAMS = ["q", "side", "phase", "state", "conflict", "ended", "sort"] as const;

function among<T extends string>(value: string | undefined, known: readonly T[]): T | null {
  return known.includes(value as T) ? (value as T) : null;
}

/** The filter that an address names; what it does not know is left out. */
export function readFilter(params: Record<string, string>): Filter {
  return {
    query: params.q ?? "",
    side: among(params.side, SIDES),
    phase: among(params.phase, PHASES),
    state: among(params.state, STATES),
    conflict: params.conflict === "1",
    ended: params.ended === "all",
    sort: among(params.sort, SORTS) ?? "start",
  };
}

/** How many of the filter's parts leave rows out (the order does not). */
export function narrows(filter: Filter): number {
  return [filter.query.trim(), filter.side, filter.phase, filter.state, filter.conflict].filter(Boolean).length;
}

/** Where a notice stands against the clock; a cancelled one is as good as ended. */
export function phaseOf(entry: Pick<Entry, "start" | "end" | "row">, now: number): Phase {
  if (entry.row.state === "cancelled" || now >= entry.end) return "ended";
  return now < entry.start ? "planned" : "active";
}

/** The name a party gave its notice, without the party. */
export function nameOf(id: string): string {
  return id.slice(id.indexOf(":") + 1);
}

// Ties are broken by the notice's name and then own first, never by the party's name: so both sides' lists mirror.
function tie(a: Entry, b: Entry): number {
  const [first, second] = [nameOf(a.row.id), nameOf(b.row.id)];
  if (first !== second) return first < second ? -1 : 1;
  if (a.own !== b.own) return a.own ? -1 : 1;
  return a.row.id < b.row.id ? -1 : a.row.id > b.row.id ? 1 : 0;
}

// two infinities subtract to NaN, which is falsy and so goes on to the next rule
const COMPARE: Record<Sort, (a: Entry, b: Entry) => number> = {
  start: (a, b) => a.start - b.start || tie(a, b),
  // not yet received by anybody is the newest there is
  received: (a, b) => (b.received ?? Infinity) - (a.received ?? Infinity) || a.start - b.start || tie(a, b),
  lead: (a, b) => (a.row.lead_time_s ?? Infinity) - (b.row.lead_time_s ?? Infinity) || a.start - b.start || tie(a, b),
};

const SORT_ANEW = 0.2; // of all rows changed: sorting again is then as quick as merging

/** All rows in order. Not reactive: the view asks it again when the picture has changed. */
export class Listing {
  #entries = new Map<string, Entry>();
  #order: readonly Entry[] = [];
  #sort: Sort | null = null;
  #party = "";
  #rows: ReadonlyMap<string, Notice> | null = null;

  /** The rows in order; the same array as before if nothing changed. */
  order(rows: ReadonlyMap<string, Notice>, party: string, sort: Sort): readonly Entry[] {
    if (party !== this.#party || rows.size < this.#entries.size) {
      this.#entries.clear(); // another node's rows, or a ledger that was replaced
      this.#order = [];
      this.#party = party;
      this.#rows = null;
    }
    const by = COMPARE[sort];
    let order = this.#order;
    if (rows !== this.#rows) {
      const changed: Entry[] = [];
      for (const row of rows.values()) {
        const before = this.#entries.get(row.id);
        if (before?.row === row) continue;
        const entry = entryOf(row, party);
        this.#entries.set(row.id, entry);
        changed.push(entry);
      }
      if (this.#entries.size > rows.size) {
        for (const id of this.#entries.keys()) if (!rows.has(id)) this.#entries.delete(id);
        order = order.filter((entry) => this.#entries.get(entry.row.id) === entry);
      }
      this.#rows = rows;
      if (changed.length > SORT_ANEW * rows.size) {
        order = [...this.#entries.values()].sort(by);
        this.#sort = sort;
      } else if (changed.length) {
        const kept = order.filter((entry) => this.#entries.get(entry.row.id) === entry);
        order = sort === this.#sort ? merge(kept, changed.sort(by), by) : [...kept, ...changed];
      }
    }
    if (sort !== this.#sort) order = [...order].sort(by);
    this.#sort = sort;
    this.#order = order;
    return order;
  }
}

function entryOf(row: Notice, party: string): Entry {
  return {
    row,
    own: row.party === party,
    start: Date.parse(row.start),
    end: Date.parse(row.end),
    received: row.received === null ? null : Date.parse(row.received),
    words: null,
  };
}

function merge(kept: Entry[], changed: Entry[], by: (a: Entry, b: Entry) => number): Entry[] {
  const merged: Entry[] = [];
  let at = 0;
  for (const entry of kept) {
    while (at < changed.length && by(changed[at]!, entry) < 0) merged.push(changed[at++]!);
    merged.push(entry);
  }
  while (at < changed.length) merged.push(changed[at++]!);
  return merged;
}

/** Says more about a row than is in it, to be searched too: the words for its codes, the party's name. */
export type MoreWords = (row: Notice) => string;

function matches(entry: Entry, terms: readonly string[], more: MoreWords): boolean {
  if (!terms.length) return true;
  const row = entry.row;
  entry.words ??= [row.id, row.region, row.text, row.party, row.activity, more(row)].join("\n").toLowerCase();
  return terms.every((term) => entry.words!.includes(term));
}

/** The rows that a filter leaves, in the order given. `meeting`: ids of the notices in a conflict that still is. */
export function narrow(
  order: readonly Entry[],
  filter: Filter,
  meeting: ReadonlyMap<string, unknown>,
  more: MoreWords,
): readonly Entry[] {
  const terms = filter.query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!terms.length && !filter.side && !filter.state && !filter.conflict) return order;
  return order.filter(
    (entry) =>
      (filter.side === null || entry.own === (filter.side === "own")) &&
      (filter.state === null || entry.row.state === filter.state) &&
      (!filter.conflict || meeting.has(entry.row.id)) &&
      matches(entry, terms, more),
  );
}

/**
 * Puts the rows under their headings.
 *
 * @param now the node's clock, by which a notice is planned, active or ended.
 * @param shown the time that the map shows; what ended more than an hour before it is left out, unless asked for.
 */
export function group(entries: readonly Entry[], filter: Filter, now: number, shown: number): Grouped {
  const parts: Record<Phase, Entry[]> = { active: [], planned: [], ended: [] };
  const all = filter.ended || filter.phase === "ended";
  const oldest = shown - RECENT_MS;
  let hidden = 0;
  let next = Infinity;
  for (const entry of entries) {
    const phase = phaseOf(entry, now);
    if (phase === "planned") next = Math.min(next, entry.start);
    else if (phase === "active") next = Math.min(next, entry.end);
    if (filter.phase !== null && phase !== filter.phase) continue;
    if (phase === "ended" && !all && entry.end < oldest) {
      hidden += 1;
      continue;
    }
    if (phase === "ended" && !all) next = Math.min(next, entry.end + RECENT_MS + (now - shown) + 1);
    parts[phase].push(entry);
  }
  if (filter.sort === "start") parts.ended.reverse(); // what ended last is what is asked about
  const items: (Entry | Heading)[] = [];
  const heads: number[] = [];
  let count = 0;
  for (const phase of PHASES) {
    const found = parts[phase];
    const left = phase === "ended" ? hidden : 0;
    if (!found.length && !left) continue;
    heads.push(items.length);
    items.push({ group: phase, n: found.length, hidden: left });
    for (const entry of found) items.push(entry);
    count += found.length;
  }
  return { items, heads, shown: count, next };
}
