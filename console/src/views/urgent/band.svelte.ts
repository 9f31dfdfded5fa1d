/** What the band of urgent matters holds: one for all that ask, so that nothing is said in two places. */
import { clock } from "../../state/clock.svelte";
import { type Alarm, picture } from "../../state/picture.svelte";
import { inBand, stateKey } from "./matter";

const MOST = 3; // shown with all they say; the rest is a list
const STEP_MS = 10_000; // how often it is asked whether something has stood long enough

class Band {
  #putAway: ReadonlySet<string> = $state.raw(new Set());
  #now = $derived(Math.floor(clock.now / STEP_MS) * STEP_MS);
  rows = $derived(inBand(picture.urgent.values(), picture.head?.party ?? "", this.#now, this.#putAway));
  shown = $derived(this.rows.slice(0, MOST));
  #ids = $derived(new Set(this.shown.map((row) => row.id)));

  putAway(row: Parameters<typeof stateKey>[0]): void {
    this.#putAway = new Set(this.#putAway).add(stateKey(row));
  }

  /** Whether the band tells an alarm already. */
  tells(alarm: Alarm): boolean {
    return (alarm.kind === "cease" || alarm.kind === "emergency") && this.#ids.has(alarm.statement ?? "");
  }
}

export const band = new Band();
