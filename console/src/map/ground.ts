/** The lowest sheet: land, borders, meridians and parallels, names of places. */
import { loadPlaces, type PlaceName } from "../geo/places";
import type { Layer } from "./address";
import type { Colours } from "./colours";
import { linesBetween, stepFor } from "./graticule";
import { HALF, latOf, lonOf, meets, WORLD, worlds, xOf, yOf } from "./mercator";
import { Room } from "./room";
import type { Context, Paper } from "./sheet";
import { Atlas, type Drawable } from "./world";

const MOST_NAMES = 160;
// metres to a pixel, and from how many thousand people a town is named there
const NAMED: readonly [number, number][] = [[20_000, 8_000], [8_000, 3_000], [3_000, 1_000], [1_500, 400], [600, 150], [300, 60], [120, 30], [0, 15]]; // prettier-ignore
const AIRPORTS_FROM = { A: 1_500, a: 400 }; // metres to a pixel below which an airport is shown
const NAMES_FROM = 12_000; // above, names hide the world
const HALO_PX = 3;

interface Named extends PlaceName {
  x: number;
  y: number;
  /** Of its words, in pixels; 0 until they are first measured. */
  long: number;
}

export class Ground {
  colours: Colours;
  layers: ReadonlySet<Layer> = new Set();
  #atlas: Atlas;
  #places: Named[] | null = null;
  #asked = false;
  #closed = false;

  constructor(
    colours: Colours,
    private readonly changed: () => void,
  ) {
    this.colours = colours;
    this.#atlas = new Atlas(changed);
  }

  /** Words are measured anew: another size of text, or fonts that have come. */
  remeasure(): void {
    for (const place of this.#places ?? []) place.long = 0;
  }

  close(): void {
    this.#closed = true;
    this.#atlas.close();
  }

  paint(paper: Paper): void {
    const { ctx, width, height } = paper;
    ctx.fillStyle = this.colours.sea;
    ctx.fillRect(0, 0, width, height);
    this.#paintLand(paper);
    if (this.layers.has("graticule")) this.#paintLines(paper);
    if (this.layers.has("names") || this.layers.has("airports")) this.#paintNames(paper);
  }

  #paintLand(paper: Paper): void {
    const { ctx, box, resolution, ratio } = paper;
    const world = this.#atlas.at(resolution);
    if (!world) return;
    const ks = worlds(box);
    // an island on the antimeridian reaches into the next world
    for (const k of [ks[0]! - 1, ...ks, ks.at(-1)! + 1]) {
      ctx.save();
      ctx.setTransform(ratio / resolution, 0, 0, -ratio / resolution, (k * WORLD - box[0]) * (ratio / resolution), box[3] * (ratio / resolution));
      const shifted: typeof box = [box[0] - k * WORLD, box[1], box[2] - k * WORLD, box[3]];
      const seen = (parts: Drawable[]): Drawable[] => parts.filter((part) => meets(part.box, shifted));
      const land = seen(world.land);
      ctx.fillStyle = this.colours.land;
      for (const part of land) ctx.fill(part.filled, "evenodd");
      ctx.lineJoin = "round";
      ctx.strokeStyle = this.colours.border;
      ctx.lineWidth = resolution;
      for (const part of seen(world.borders)) ctx.stroke(part.stroked);
      ctx.strokeStyle = this.colours.coast;
      for (const part of land) ctx.stroke(part.stroked);
      ctx.restore();
    }
  }

  #paintLines(paper: Paper): void {
    const { ctx, box, resolution, width, height } = paper;
    const step = stepFor(xOf(1) / resolution);
    ctx.strokeStyle = this.colours.graticule;
    ctx.lineWidth = 1;
    ctx.beginPath();
    for (const minutes of linesBetween(lonOf(box[0]), lonOf(box[2]), step)) {
      const x = Math.round(paper.x(xOf(minutes / 60))) + 0.5;
      ctx.moveTo(x, 0);
      ctx.lineTo(x, height);
    }
    for (const minutes of linesBetween(latOf(box[1]), latOf(box[3]), step)) {
      const y = Math.round(paper.y(yOf(minutes / 60))) + 0.5;
      ctx.moveTo(0, y);
      ctx.lineTo(width, y);
    }
    ctx.stroke();
  }

  #ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    loadPlaces().then(
      (places) => {
        if (this.#closed) return;
        this.#places = places.map((place) => ({ ...place, x: xOf(place.lon), y: yOf(place.lat), long: 0 }));
        this.changed();
      },
      () => (this.#asked = false),
    );
  }

  #paintNames(paper: Paper): void {
    const { ctx, box, resolution } = paper;
    if (resolution > NAMES_FROM) return;
    this.#ask();
    if (!this.#places) return;
    const least = NAMED.find(([from]) => resolution >= from)![1];
    const towns = this.layers.has("names");
    const airports = this.layers.has("airports");
    const { small } = this.colours;
    const room = new Room();
    ctx.font = this.colours.words;
    ctx.textBaseline = "middle";
    ctx.direction = "ltr";
    ctx.lineJoin = "round";
    ctx.lineWidth = HALO_PX;
    let count = 0;
    for (const place of this.#places) {
      const airport = typeof place.kind === "string";
      if (airport ? !airports || resolution > AIRPORTS_FROM[place.kind as "A"] : !towns || (place.kind as number) < least) continue;
      if (place.y < box[1] || place.y > box[3]) continue;
      const k = Math.ceil((box[0] - place.x) / WORLD);
      const easting = place.x + k * WORLD;
      if (easting > box[2] || Math.abs(place.y) > HALF) continue;
      const [x, y] = [paper.x(easting), paper.y(place.y)];
      const short = airport && resolution > 150;
      const text = short ? place.name.slice(0, 3) : place.name;
      if (!short && !place.long) place.long = ctx.measureText(text).width;
      const long = short ? 3 * small : place.long;
      if (!room.take(x - 4, y - small / 2 - 1, long + 14, small + 2)) continue;
      ctx.strokeStyle = this.colours.land;
      ctx.fillStyle = this.colours.place;
      ctx.strokeText(text, x + 7, y);
      ctx.fillText(text, x + 7, y);
      if (airport) this.#paintField(ctx, x, y);
      else ctx.fillRect(x - 1.5, y - 1.5, 3, 3);
      if (++count >= MOST_NAMES) break;
    }
  }

  /** A ring with a runway through it. */
  #paintField(ctx: Context, x: number, y: number): void {
    ctx.save();
    ctx.strokeStyle = this.colours.place;
    ctx.lineWidth = 1.25;
    ctx.beginPath();
    ctx.arc(x, y, 3, 0, 2 * Math.PI);
    ctx.moveTo(x - 4, y + 4);
    ctx.lineTo(x + 4, y - 4);
    ctx.stroke();
    ctx.restore();
  }
}
