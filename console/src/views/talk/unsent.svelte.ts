/**
 * What an officer has written and not sent, for each thread, while this tab stands: an alarm that takes the screen loses nothing.
 * It is in memory alone, and goes when the officer signs out.
 */
import { session } from "../../state/session.svelte";
import type { Chosen } from "./Phrases.svelte";
import type { PRECEDENCES } from "./words";

export interface Unsent {
  desk: string;
  precedence: (typeof PRECEDENCES)[number];
  language: string;
  text: string;
  translator: string;
  phrase: Chosen | null;
}

const NOTHING: Unsent = { desk: "", precedence: "routine", language: "", text: "", translator: "", phrase: null };

class AllUnsent {
  #kept = new Map<string, Unsent>();
  #of = "";

  of(slot: string): Unsent {
    this.#mind();
    return this.#kept.get(slot) ?? NOTHING;
  }

  keep(slot: string, one: Unsent): void {
    this.#mind();
    if (one.text.trim() || one.phrase) this.#kept.set(slot, one);
    else this.#kept.delete(slot);
  }

  forget(slot: string): void {
    this.#kept.delete(slot);
  }

  /** Another officer's words are nobody else's. */
  #mind(): void {
    const who = `${session.who?.party}/${session.who?.name}`;
    if (who !== this.#of) this.#kept.clear();
    this.#of = who;
  }
}

export const unsent = new AllUnsent();
