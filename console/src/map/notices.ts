/** The sheet of notices: outlines, symbols, words, and where two would meet. */
import type { LonLat } from "../geo/geodesic";
import type { Conflict } from "../state/picture.svelte";
import type { Layer } from "./address";
import type { Colours } from "./colours";
import { type Box, contains, HALF, WORLD, worlds, xOf, yOf } from "./mercator";
import { Room } from "./room";
import type { Context, Paper } from "./sheet";
import type { Phase, Shape, Shapes } from "./shapes";
import type { Symbols } from "./symbols";
import { ringAround } from "./way";

const MOST_LABELS = 120;
const LABEL_FROM_PX = 26; // an outline smaller than this has no room for words, unless few are in view
const FEW = 40;
const CHUNK = 200; // shapes to a path: one path of thousands is slower to draw than its parts
const DOT_PX = 2.5; // smaller than this, an outline is drawn as a dot
const DOT_ROW = 65_536; // wider than any sheet
const NEAR_PX = 0.6; // vertices nearer to each other than this are one
const SEAM = HALF - 1;
const MARK_PX = 13;
const TAKE_PX = 5;
const HALO_PX = 3;
const MIDDLE_PX = 3; // of somebody who moves: seen however small the circle is

type Side = "own" | "peer";

/** Where words stand: on their shape, or where somebody who moves is. */
interface Spot {
  middle: readonly [number, number];
  box: Box;
}

interface Style {
  width: number;
  dash: number[];
  alpha: number;
  fill: boolean;
}

const STYLES: Record<Phase, Record<Side, Style>> = {
  ended: { own: { width: 1, dash: [], alpha: 1, fill: false }, peer: { width: 1, dash: [3, 3], alpha: 1, fill: false } },
  planned: { own: { width: 1.25, dash: [], alpha: 0.75, fill: false }, peer: { width: 1.25, dash: [7, 4], alpha: 0.75, fill: false } },
  active: { own: { width: 2.25, dash: [], alpha: 1, fill: true }, peer: { width: 2.25, dash: [7, 4], alpha: 1, fill: true } },
};
export const MOVED_DASH = [12, 4, 2, 4]; // unlike any line of a notice: nobody has filed it
const ORDER: readonly Phase[] = ["ended", "planned", "active"];

export interface Hit {
  notices: string[];
  conflicts: string[];
}

/** The words of a shape's label, in the officer's language; the map calls it for what is in view only. */
export type Words = (shape: Shape) => string[];

export class NoticeSheet {
  layers: ReadonlySet<Layer> = new Set();
  at = 0;
  conflicts: readonly Conflict[] = [];
  /** Notices and conflicts to make stand out. */
  chosen: ReadonlySet<string> = new Set();
  /** Where shapes would be after a change that is looked at. */
  moved: readonly Shape[] = [];
  /** How many shapes are on the map at the time shown, in view or not. */
  drawn = 0;
  /** Shapes whose words are on the sheet. */
  #written = new Set<Shape>();
  /** Where those words are: the top left corner on the plane, and the size in pixels. */
  #places: [number, number, number, number][] = [];

  constructor(
    public colours: Colours,
    private readonly shapes: Shapes,
    private readonly symbols: Symbols,
    private readonly words: Words,
  ) {}

  #wanted(shape: Shape, phase: Phase): boolean {
    return this.layers.has(shape.own ? "own" : "peer") && (phase !== "ended" || this.layers.has("ended"));
  }

  paint(paper: Paper): void {
    const { ctx } = paper;
    ctx.lineJoin = "round";
    ctx.lineCap = "butt";
    const groups: Record<Phase, Record<Side, [Shape, number][]>> = { ended: { own: [], peer: [] }, planned: { own: [], peer: [] }, active: { own: [], peer: [] } };
    const ks = worlds(paper.box);
    this.drawn = 0;
    for (const shape of this.shapes.all) {
      if (!shape.shown(this.at)) continue;
      const phase = shape.phase(this.at);
      if (!this.#wanted(shape, phase)) continue;
      this.drawn++;
      // of one that moves only a circle is active, on the sheet above; its whole way is drawn as lightly as what is planned
      const drawnAs = shape.way && phase === "active" ? "planned" : phase;
      for (const k of ks) if (seen(shape.box, k, paper.box)) groups[drawnAs][shape.own ? "own" : "peer"].push([shape, k]);
    }
    for (const phase of ORDER) for (const side of ["own", "peer"] as const) this.#paintGroup(paper, groups[phase][side], phase, side);
    const marks = this.layers.has("conflicts") ? this.#paintConflicts(paper, ks, (conflict) => this.#live(conflict)) : [];
    const room = new Room();
    for (const [x, y] of marks) room.take(x - MARK_PX, y - MARK_PX, 2 * MARK_PX, 2 * MARK_PX);
    this.#written.clear();
    this.#places = [];
    const { own, peer } = groups.active;
    const words = [...own, ...peer, ...groups.planned.own, ...groups.planned.peer];
    this.#paintWords(paper, room, words.filter(([shape]) => !this.#isOnItsWay(shape)), false); // prettier-ignore
    ctx.setLineDash([]);
    ctx.globalAlpha = 1;
  }

  /** What stands out, on a sheet of its own: resting on one of ten thousand must not paint them all anew. */
  paintChosen(paper: Paper): void {
    const { ctx } = paper;
    ctx.lineJoin = "round";
    ctx.lineCap = "butt";
    const ks = worlds(paper.box);
    const found: [Shape, number][] = [];
    for (const id of this.chosen) {
      for (const shape of this.shapes.of(id)) {
        if (!shape.piece.outline.length || !this.layers.has(shape.own ? "own" : "peer")) continue;
        for (const k of ks) if (seen(shape.box, k, paper.box)) found.push([shape, k]);
      }
    }
    this.#paintOutlines(paper, found);
    this.#paintConflicts(paper, ks, (conflict) => this.chosen.has(conflict.id));
    this.#paintWords(paper, new Room(), found.filter(([shape]) => !this.#written.has(shape) && !this.#isOnItsWay(shape)), true); // prettier-ignore
    this.#paintMoved(paper, ks);
  }

  /** Its words go with it, on the sheet above. */
  #isOnItsWay(shape: Shape): boolean {
    return shape.way !== null && shape.placeAt(this.at) !== null;
  }

  /** Where notices would be, where that is another place: in height and time they are on the strip. */
  #paintMoved(paper: Paper, ks: readonly number[]): void {
    const { ctx } = paper;
    const aside: [Shape, number][] = [];
    for (const shape of this.moved) {
      if (this.shapes.of(shape.row.id).some((one) => one.box.every((edge, i) => edge === shape.box[i]))) continue;
      const stroked = new Path2D();
      for (const k of ks) {
        if (!seen(shape.box, k, paper.box)) continue;
        trace(paper, shape, k, null, stroked);
        aside.push([shape, k]);
      }
      ctx.setLineDash([]);
      ctx.strokeStyle = this.colours.ground;
      ctx.lineWidth = 2 + HALO_PX;
      ctx.stroke(stroked);
      ctx.setLineDash(MOVED_DASH);
      ctx.strokeStyle = this.colours.ink;
      ctx.lineWidth = 2;
      ctx.stroke(stroked);
    }
    ctx.setLineDash([]);
    this.#paintWords(paper, this.#roomOn(paper), aside, true);
  }

  /** Where the sheet beneath has words already. */
  #roomOn(paper: Paper): Room {
    const room = new Room();
    for (const [x, y, wide, high] of this.#places) room.take(paper.x(x), paper.y(y), wide, high);
    return room;
  }

  /**
   * Where those that move are at the time shown: the circle around each, and its middle. They are on the sheet above, which is
   * small enough to be painted every second.
   *
   * @returns how many.
   */
  paintMoving(paper: Paper): number {
    const { ctx } = paper;
    ctx.lineJoin = "round";
    ctx.lineCap = "butt";
    const ks = worlds(paper.box);
    const beside = new Set(ks.flatMap((k) => [k - 1, k, k + 1])); // a ring past 180 degrees is seen in the world beside its place
    const found: [Shape, LonLat][] = [];
    for (const shape of this.shapes.moving) {
      const place = this.#wanted(shape, "active") ? shape.placeAt(this.at) : null;
      if (place) found.push([shape, place]);
    }
    const inView = found.filter(([shape]) => ks.some((k) => seen(shape.box, k, paper.box)));
    const resolution = inView.length > FEW ? Infinity : paper.resolution; // in a crowd each has the fewest corners
    const words: [Shape, number, Spot][] = [];
    for (const [shape, place] of inView) {
      const [x, y] = [xOf(place[0]), yOf(place[1])];
      const size = shape.way!.radius_m / Math.max(0.1, Math.cos((place[1] * Math.PI) / 180)) / paper.resolution;
      const { ring, box } = size < DOT_PX ? { ring: null, box: [x, y, x, y] as Box } : ringAround(place, shape.way!.radius_m, resolution);
      for (const k of beside) {
        if (!seen(box, k, paper.box)) continue;
        this.#paintPlace(paper, ring, x + k * WORLD, y, k, shape.own ? "own" : "peer");
        words.push([shape, k, { middle: [x, y], box }]);
      }
    }
    const room = this.#roomOn(paper);
    const stands = (one: [Shape, number, Spot]): boolean => this.chosen.has(one[0].row.id);
    this.#paintWords(paper, room, words.filter(stands), true); // prettier-ignore
    this.#paintWords(paper, room, words.filter((one) => !stands(one)), false); // prettier-ignore
    return found.length;
  }

  #paintPlace(paper: Paper, ring: Float64Array | null, x: number, y: number, k: number, side: Side): void {
    const { ctx } = paper;
    const style = STYLES.active[side];
    if (ring) {
      const circle = new Path2D();
      for (let i = 0; i < ring.length; i += 2) circle.lineTo(paper.x(ring[i]! + k * WORLD), paper.y(ring[i + 1]!));
      circle.closePath();
      ctx.fillStyle = this.colours[`${side}-fill`];
      ctx.fill(circle);
      ctx.setLineDash([]);
      ctx.strokeStyle = this.colours.ground;
      ctx.lineWidth = style.width + HALO_PX;
      ctx.stroke(circle);
      ctx.setLineDash(style.dash);
      ctx.strokeStyle = this.colours[side];
      ctx.lineWidth = style.width;
      ctx.stroke(circle);
    }
    ctx.setLineDash([]);
    ctx.beginPath();
    ctx.arc(paper.x(x), paper.y(y), MIDDLE_PX, 0, 2 * Math.PI);
    ctx.strokeStyle = this.colours.ground;
    ctx.lineWidth = HALO_PX;
    ctx.stroke();
    ctx.fillStyle = this.colours[side];
    ctx.fill();
  }

  #colour(phase: Phase, side: Side): string {
    return phase === "ended" ? this.colours.ended : this.colours[side];
  }

  #paintGroup(paper: Paper, shapes: readonly [Shape, number][], phase: Phase, side: Side): void {
    const { ctx } = paper;
    const style = STYLES[phase][side];
    ctx.globalAlpha = style.alpha;
    ctx.strokeStyle = this.#colour(phase, side);
    ctx.fillStyle = this.colours[`${side}-fill`];
    ctx.lineWidth = style.width;
    const dots = new Set<number>(); // by pixel: a thousand on one are one dot
    for (let from = 0; from < shapes.length; from += CHUNK) {
      const filled = new Path2D();
      const stroked = new Path2D();
      let small = true; // dashes of a few pixels' outlines cost most and show least
      for (const [shape, k] of shapes.slice(from, from + CHUNK)) {
        const [w, s, e, n] = shape.box;
        const size = Math.max(e - w, n - s) / paper.resolution;
        if (size < DOT_PX) {
          dots.add(Math.round(paper.y((s + n) / 2)) * DOT_ROW + Math.round(paper.x((w + e) / 2 + k * WORLD)));
          continue;
        }
        if (size > 12) small = false;
        trace(paper, shape, k, style.fill ? filled : null, stroked);
      }
      if (style.fill) ctx.fill(filled, "evenodd");
      ctx.setLineDash(small ? [] : style.dash);
      ctx.stroke(stroked);
    }
    ctx.fillStyle = this.#colour(phase, side);
    for (const dot of dots) ctx.fillRect((dot % DOT_ROW) - 1.5, Math.floor(dot / DOT_ROW) - 1.5, 3, 3);
    ctx.globalAlpha = 1;
  }

  #paintOutlines(paper: Paper, shapes: readonly [Shape, number][]): void {
    const { ctx } = paper;
    for (const [shape, k] of shapes) {
      const phase = shape.phase(this.at);
      const side: Side = shape.own ? "own" : "peer";
      const filled = new Path2D();
      const stroked = new Path2D();
      trace(paper, shape, k, filled, stroked);
      ctx.fillStyle = this.colours[`${side}-fill`];
      ctx.fill(filled, "evenodd");
      ctx.setLineDash([]);
      ctx.strokeStyle = this.colours.ground;
      ctx.lineWidth = 7;
      ctx.stroke(stroked);
      ctx.setLineDash(side === "peer" ? [9, 4] : []);
      ctx.strokeStyle = this.#colour(phase, side);
      ctx.lineWidth = 3.5;
      ctx.stroke(stroked);
    }
    ctx.setLineDash([]);
  }

  /** Where conflicts are marked: the place of the meeting, or between the two where nobody can tell a place. */
  #placesOf(conflict: Conflict): [number, number] | null {
    if (conflict.place) return [xOf(conflict.place.lon), yOf(conflict.place.lat)];
    const middles = conflict.notices.flatMap((id) => this.shapes.of(id).slice(0, 1)).map((shape) => shape.middle);
    if (!middles.length) return null;
    return [middles.reduce((sum, [x]) => sum + x, 0) / middles.length, middles.reduce((sum, [, y]) => sum + y, 0) / middles.length];
  }

  #live(conflict: Conflict): boolean {
    return conflict.state === "live" && (conflict.until === null || Date.parse(conflict.until) > this.at);
  }

  #paintConflicts(paper: Paper, ks: readonly number[], which: (conflict: Conflict) => boolean): [number, number][] {
    const { ctx } = paper;
    const found: [number, number][] = [];
    for (const conflict of this.conflicts) {
      if (!which(conflict)) continue;
      const place = this.#placesOf(conflict);
      if (!place) continue;
      for (const k of ks) {
        const [x, y] = [paper.x(place[0] + k * WORLD), paper.y(place[1])];
        if (x < -MARK_PX || y < -MARK_PX || x > paper.width + MARK_PX || y > paper.height + MARK_PX) continue;
        this.#paintMark(ctx, x, y, conflict.rank === 2, this.chosen.has(conflict.id));
        found.push([x, y]);
      }
    }
    return found;
  }

  #paintMark(ctx: Context, x: number, y: number, unsure: boolean, chosen: boolean): void {
    const colour = unsure ? this.colours.caution : this.colours.warning;
    ctx.save();
    ctx.translate(x, y);
    ctx.setLineDash([]);
    ctx.globalAlpha = 1;
    ctx.strokeStyle = colour;
    ctx.lineWidth = chosen ? 3 : 1.5;
    ctx.beginPath();
    ctx.arc(0, 0, MARK_PX + 6, 0, 2 * Math.PI);
    ctx.stroke();
    ctx.save();
    ctx.clip();
    ctx.lineWidth = 1;
    ctx.beginPath();
    for (let i = -48; i <= 48; i += 6) {
      ctx.moveTo(i - 24, 24);
      ctx.lineTo(i + 24, -24);
    }
    ctx.stroke();
    ctx.restore();
    const sign = new Path2D(unsure ? "M0-10 10 0 0 10-10 0z" : "M0-11 11 9-11 9z");
    ctx.fillStyle = colour;
    ctx.strokeStyle = this.colours.ground;
    ctx.lineWidth = 2;
    ctx.stroke(sign);
    ctx.fill(sign);
    ctx.lineWidth = 2.5;
    ctx.lineCap = "round";
    ctx.stroke(new Path2D(unsure ? "M-3 0h6" : "M0-4v6M0 5.500v.5"));
    ctx.restore();
  }

  #paintWords(paper: Paper, room: Room, shapes: readonly [Shape, number, Spot?][], stands: boolean): void {
    const { ctx, ratio } = paper;
    const { small } = this.colours;
    const line = small * 1.25;
    ctx.font = this.colours.figures;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.direction = "ltr";
    ctx.lineWidth = HALO_PX;
    let count = 0;
    let tries = 0;
    const few = shapes.length <= FEW;
    const plane = { x: (px: number) => paper.box[0] + px * paper.resolution, y: (px: number) => paper.box[3] - px * paper.resolution };
    for (const [shape, k, spotted] of shapes) {
      const { box, middle } = spotted ?? shape;
      const [w, s, e, n] = box;
      if (!stands && !few && Math.max(e - w, n - s) / paper.resolution < LABEL_FROM_PX) continue;
      const [mx, my] = middle;
      const [x, y] = [paper.x(mx + k * WORLD), paper.y(my)];
      if (x < 0 || y < 0 || x > paper.width || y > paper.height) continue;
      if (++tries > 4 * MOST_LABELS) break; // a crowd: measuring words that find no room is the cost
      const side: Side = shape.own ? "own" : "peer";
      const phase = shape.phase(this.at);
      const colour = this.#colour(phase, side);
      const symbol = this.symbols.find(shape.row.activity, colour, ratio);
      const [wide, high] = symbol ? [symbol.width / ratio, symbol.height / ratio] : [0, 0];
      const all = this.words(shape);
      // in its middle, else above or below it (a conflict's mark stands in the middle of both); all words, else the first line
      // what moves has its middle drawn, and words only beside it
      const places = spotted ? [paper.y(n) - MIDDLE_PX, paper.y(s) + MIDDLE_PX] : [y, paper.y(n), paper.y(s)];
      const spot = this.#spot(ctx, room, [all, all.slice(0, 1)], places, x, [wide, high], line);
      if (!spot && !stands) continue;
      const { lines, at } = spot ?? { lines: all, at: y - high / 2 };
      if (!stands && !spotted && spot) this.#places.push([plane.x(x - spot.wide / 2), plane.y(at), spot.wide, spot.tall]);
      if (symbol) ctx.drawImage(symbol, x - wide / 2, at, wide, high);
      const top = at + high + 2;
      ctx.strokeStyle = this.colours.ground;
      ctx.fillStyle = colour;
      lines.forEach((text, i) => {
        ctx.strokeText(text, x, top + line * (i + 0.5));
        ctx.fillText(text, x, top + line * (i + 0.5));
      });
      this.#written.add(shape);
      if (++count >= MOST_LABELS) break;
    }
    ctx.textAlign = "start";
  }

  #spot(
    ctx: Context,
    room: Room,
    choices: readonly string[][],
    places: readonly number[],
    x: number,
    [wide, high]: readonly [number, number],
    line: number,
  ): { lines: string[]; at: number; wide: number; tall: number } | null {
    for (const lines of choices) {
      const long = Math.max(wide, ...lines.map((text) => ctx.measureText(text).width));
      const tall = high + line * lines.length + 2;
      const [north = 0, south = 0] = places.slice(-2);
      const tops = [...places.slice(0, -2).map((middle) => middle - high / 2), north - tall - 2, south + 4];
      const at = tops.find((top) => room.take(x - long / 2, top, long, tall));
      if (at !== undefined) return { lines, at, wide: long, tall };
    }
    return null;
  }

  /** What is at a point of the plane. */
  find(x: number, y: number, resolution: number): Hit {
    const hit: Hit = { notices: [], conflicts: [] };
    const flat = ((((x + HALF) % WORLD) + WORLD) % WORLD) - HALF;
    const near = (MARK_PX + TAKE_PX) * resolution;
    if (this.layers.has("conflicts")) {
      for (const conflict of this.conflicts) {
        if (!this.#live(conflict) && !this.chosen.has(conflict.id)) continue;
        const place = this.#placesOf(conflict);
        if (place && Math.hypot(place[0] - flat, place[1] - y) <= near) hit.conflicts.push(conflict.id);
      }
    }
    const ids = new Set<string>();
    const spare = TAKE_PX * resolution;
    for (const shape of this.shapes.all) {
      if (!shape.shown(this.at) || !this.#wanted(shape, shape.phase(this.at))) continue;
      const [w, s, e, n] = shape.box;
      if (flat < w - spare || flat > e + spare || y < s - spare || y > n + spare) continue;
      const tiny = Math.max(e - w, n - s) < 4 * spare;
      if (tiny || shape.polygons.some((rings) => contains(rings, flat, y))) ids.add(shape.row.id);
    }
    hit.notices = [...ids];
    return hit;
  }
}

const seen = ([w, s, e, n]: Box, k: number, view: Box): boolean => w + k * WORLD <= view[2] && e + k * WORLD >= view[0] && s <= view[3] && n >= view[1];

/** Adds a shape's rings to paths; where it was cut at the antimeridian, the cut is no edge and is not stroked. */
function trace(paper: Paper, shape: Shape, k: number, filled: Path2D | null, stroked: Path2D): void {
  const shift = k * WORLD;
  const cut = shape.box[0] <= -SEAM || shape.box[2] >= SEAM;
  for (const rings of shape.polygons) {
    for (const ring of rings) {
      let [px, py] = [Infinity, Infinity];
      for (let i = 0; i < ring.length; i += 2) {
        const [x, y] = [paper.x(ring[i]! + shift), paper.y(ring[i + 1]!)];
        if (i === 0) {
          filled?.moveTo(x, y);
          stroked.moveTo(x, y);
        } else if (Math.abs(x - px) + Math.abs(y - py) > NEAR_PX || i === ring.length - 2) {
          filled?.lineTo(x, y);
          if (cut && Math.abs(ring[i]!) >= SEAM && Math.abs(ring[i - 2]!) >= SEAM) stroked.moveTo(x, y);
          else stroked.lineTo(x, y);
        } else continue;
        [px, py] = [x, y];
      }
      filled?.closePath();
      if (!cut) stroked.closePath();
    }
  }
}

