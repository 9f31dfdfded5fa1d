/** Land and borders in three grades (Natural Earth 1:110, 1:50 and 1:10 million), each fetched when the map is first that near. */
import coarse from "world-atlas/countries-110m.json?url";
import fine from "world-atlas/countries-10m.json?url";
import medium from "world-atlas/countries-50m.json?url";
import { type Box, HALF } from "./mercator";

export interface Part {
  box: Box;
  rings: Float64Array[];
}

export interface World {
  land: Drawable[];
  borders: Drawable[];
}

// metres to a pixel from which a grade is good enough
const GRADES: readonly [number, string][] = [[9_000, coarse], [1_200, medium], [0, fine]]; // prettier-ignore
const SEAM = HALF - 2_000; // nearer to the antimeridian than this, a line is the atlas's cut and no coast

/** A part with its paths, made when first seen. */
export class Drawable {
  readonly box: Box;
  #rings: Float64Array[] | null;
  #filled: Path2D | null = null;
  #stroked: Path2D | null = null;

  constructor(part: Part) {
    this.box = part.box;
    this.#rings = part.rings;
  }

  get filled(): Path2D {
    this.#make();
    return this.#filled!;
  }

  get stroked(): Path2D {
    this.#make();
    return this.#stroked!;
  }

  #make(): void {
    if (!this.#rings) return;
    const cut = this.#rings.some((ring) => ring.some((value, i) => i % 2 === 0 && Math.abs(value) > SEAM));
    this.#filled = new Path2D();
    this.#stroked = cut ? new Path2D() : this.#filled;
    for (const ring of this.#rings) {
      for (let i = 0; i < ring.length; i += 2) {
        const [x, y] = [ring[i]!, ring[i + 1]!];
        if (i === 0) this.#filled.moveTo(x, y);
        else this.#filled.lineTo(x, y);
        if (!cut) continue;
        const seam = i > 0 && Math.abs(x) > SEAM && Math.abs(ring[i - 2]!) > SEAM;
        if (i === 0 || seam) this.#stroked.moveTo(x, y);
        else this.#stroked.lineTo(x, y);
      }
    }
    this.#rings = null; // the paths hold all of it
  }
}

export class Atlas {
  #loaded = new Map<string, World>();
  #asked = new Set<string>();
  #workers = new Set<Worker>();

  constructor(private readonly whenLoaded: () => void) {}

  /** The best world there is for a resolution; asks for the right one. */
  at(resolution: number): World | null {
    const wanted = GRADES.findIndex(([from]) => resolution >= from);
    const address = GRADES[wanted]![1];
    // the coarsest first, so that there is something to see
    if (!this.#loaded.size) this.#ask(GRADES[0]![1]);
    else this.#ask(address);
    const order = [wanted, ...GRADES.keys()].map((i) => this.#loaded.get(GRADES[i]![1]));
    return order.find((world) => world !== undefined) ?? null;
  }

  close(): void {
    for (const worker of this.#workers) worker.terminate();
    this.#workers.clear();
  }

  #ask(address: string): void {
    if (this.#asked.has(address)) return;
    this.#asked.add(address);
    const worker = new Worker(new URL("./world.worker.ts", import.meta.url), { type: "module" });
    this.#workers.add(worker);
    const done = (): void => {
      worker.terminate();
      this.#workers.delete(worker);
    };
    const failed = (): void => {
      this.#asked.delete(address); // asked again at the next painting
      done();
    };
    worker.onmessage = (event: MessageEvent<{ land: Part[]; borders: Part[] } | null>) => {
      if (!event.data) return failed();
      this.#loaded.set(address, { land: event.data.land.map((p) => new Drawable(p)), borders: event.data.borders.map((p) => new Drawable(p)) });
      done();
      this.whenLoaded();
    };
    worker.onerror = failed;
    worker.postMessage(new URL(address, location.href).href);
  }
}
