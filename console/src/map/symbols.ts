/**
 * Symbols of activities after APP-6, always in the frame for "neutral", whoever's they are: to a party its own aircraft are no more
 * friendly than the peer's are hostile. The colour says own or peer, as everywhere. Loaded when first needed.
 */
import type ms from "milsymbol";

const NEUTRAL_AIR = "1004010000";
const NEUTRAL_MISSILE = "1004020000";
const air = (entity: string): string => `${NEUTRAL_AIR}${entity}0000`;
const CODES: Readonly<Record<string, string>> = {
  patrol: air("110110"),
  transit: air("110100"),
  recon: air("110111"),
  "strike-hazard": air("110102"),
  exercise: air("110112"),
  training: air("110112"),
  uas: air("110300"),
  sar: air("110120"),
  tanker: air("110109"),
  transport: air("110107"),
  airlift: air("110107"),
  medevac: air("110101"),
  humanitarian: air("110113"),
  launch: `${NEUTRAL_MISSILE}1100000000`,
};
const OTHER = air("110000");
const SIZE_PX = 22;
const NO_AIRCRAFT = new Set(["hazard"]);

export class Symbols {
  #drawn = new Map<string, HTMLCanvasElement>();
  #ms: typeof ms | null = null;
  #asked = false;

  constructor(private readonly whenLoaded: () => void) {}

  /** The light has changed. */
  forget(): void {
    this.#drawn.clear();
  }

  /** A symbol in a colour; null until the drawings are here, and for what is no aircraft. */
  find(activity: string | null, colour: string, ratio: number): HTMLCanvasElement | null {
    if (activity === null || NO_AIRCRAFT.has(activity)) return null;
    if (!this.#ms) {
      this.#ask();
      return null;
    }
    const code = CODES[activity] ?? OTHER; // names of parties' own making share one drawing, so the table stays small
    const key = `${code} ${colour} ${ratio}`;
    let found = this.#drawn.get(key);
    if (!found) {
      found = new this.#ms.Symbol(code, { size: SIZE_PX, monoColor: colour, fill: false, strokeWidth: 6 }).asCanvas(ratio);
      this.#drawn.set(key, found);
    }
    return found;
  }

  #ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    import("milsymbol").then(
      (found) => {
        this.#ms = found.default;
        this.whenLoaded();
      },
      () => (this.#asked = false),
    );
  }
}
