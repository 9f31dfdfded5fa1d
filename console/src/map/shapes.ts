/** The pieces of all notices as things to draw: made once for each row, kept while the row is the same. */
import type { LonLat } from "../geo/geodesic";
import type { Notice } from "../state/picture.svelte";
import { around, type Box, boxOf, middleOf, projected } from "./mercator";
import { Way } from "./way";

export type Phase = "planned" | "active" | "ended";

/** How long what has ended stays on the map: a watch handed over sees the watch before it, and no more. */
export const ENDED_SHOWN_MS = 6 * 3_600_000;

type PieceRow = Notice["pieces"][number];

export class Shape {
  readonly start: number;
  readonly end: number;
  /** Of a volume that moves; its polygons are all that it sweeps. */
  readonly way: Way | null;
  #polygons: Float64Array[][] | null = null;
  #box: Box | null = null;
  #middle: readonly [number, number] | null = null;

  constructor(
    readonly row: Notice,
    readonly piece: PieceRow,
    readonly own: boolean,
  ) {
    this.start = Date.parse(piece.start);
    this.end = Date.parse(piece.end);
    this.way = piece.way ? new Way(piece.way) : null;
  }

  /** Polygons of rings on the map's plane; made when first seen, because most of a long record never is. */
  get polygons(): readonly (readonly Float64Array[])[] {
    this.#polygons ??= this.piece.outline.map((rings) => rings.map(projected));
    return this.#polygons;
  }

  get box(): Box {
    this.#box ??= around(this.polygons.map((rings) => boxOf(rings[0]!))) ?? [0, 0, 0, 0];
    return this.#box;
  }

  /** Where its symbol and words stand. */
  get middle(): readonly [number, number] {
    this.#middle ??= this.polygons[0] ? middleOf(this.polygons[0]) : [0, 0];
    return this.#middle;
  }

  /** Where a volume that moves is; null for one that stays, and outside its interval. */
  placeAt(at: number): LonLat | null {
    return this.phase(at) === "active" ? (this.way?.placeAt(at) ?? null) : null;
  }

  phase(at: number): Phase {
    if (this.row.state === "cancelled" || at >= this.end) return "ended";
    return at < this.start ? "planned" : "active";
  }

  /** Whether it is on the map at a time. */
  shown(at: number): boolean {
    return this.piece.outline.length > 0 && this.end + ENDED_SHOWN_MS > at;
  }
}

export class Shapes {
  #kept = new Map<string, { row: Notice; shapes: Shape[] }>();
  #all: Shape[] | null = [];
  #moving: Shape[] | null = [];
  #own = "";

  /** All shapes, in the order of the notices. */
  get all(): readonly Shape[] {
    this.#all ??= [...this.#kept.values()].flatMap((kept) => kept.shapes);
    return this.#all;
  }

  /** Those that move, in the same order. */
  get moving(): readonly Shape[] {
    this.#moving ??= this.all.filter((shape) => shape.way !== null);
    return this.#moving;
  }

  of(notice: string): readonly Shape[] {
    return this.#kept.get(notice)?.shapes ?? [];
  }

  /**
   * Takes over the rows that are new.
   *
   * @param changed ids of the rows that changed, or null for a look at all of them.
   * @param own our party.
   * @returns whether anything did.
   */
  update(rows: ReadonlyMap<string, Notice>, changed: readonly string[] | null, own: string): boolean {
    let any = false;
    if (own !== this.#own) {
      any = this.#kept.size > 0;
      this.#kept.clear();
      this.#own = own;
    }
    // two changes may come before one look; then sizes or rows differ and all are looked at
    const few = changed !== null && !any && changed.every((id) => rows.has(id));
    const added = few ? changed.filter((id) => !this.#kept.has(id)).length : 0;
    if (few && this.#kept.size + added === rows.size) {
      for (const id of changed) any = this.#take(rows.get(id)!) || any;
    } else {
      for (const id of this.#kept.keys()) {
        if (rows.has(id)) continue;
        this.#kept.delete(id);
        any = true;
      }
      for (const row of rows.values()) any = this.#take(row) || any;
    }
    if (any) this.#all = this.#moving = null;
    return any;
  }

  #take(row: Notice): boolean {
    const before = this.#kept.get(row.id);
    if (before?.row === row) return false;
    this.#kept.set(row.id, { row, shapes: row.pieces.map((piece) => new Shape(row, piece, row.party === this.#own)) });
    return true;
  }
}

/** The first time after `at` when something on the map starts, ends or leaves it. */
export function nextChange(shapes: readonly Shape[], at: number): number {
  let next = Infinity;
  for (const shape of shapes) {
    for (const time of [shape.start, shape.end, shape.end + ENDED_SHOWN_MS]) if (time > at && time < next) next = time;
  }
  return next;
}
