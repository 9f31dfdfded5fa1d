/**
 * The last answer, for printing it. It outlives a reload in this tab, belongs to the officer who asked, and is forgotten
 * when the session ends or is locked: a locked screen keeps no content.
 */
import { session } from "../../state/session.svelte";
import type { Answer, Question } from "./question";

export interface Asked {
  officer: string;
  party: string;
  question: Question;
  answer: Answer;
}

const KEY = "asked";

class Answers {
  #asked = $state.raw<Asked | null>(null);

  constructor() {
    $effect.root(() => {
      $effect(() => {
        if (session.known && (!session.who || session.locked)) this.forget();
      });
    });
  }

  keep(question: Question, answer: Answer): void {
    if (!session.who || session.locked) return; // it came after the lock: a locked screen keeps no content
    this.#asked = { officer: session.who.name, party: session.who.party, question, answer };
    try {
      sessionStorage.setItem(KEY, JSON.stringify(this.#asked));
    } catch {
      // too long for the browser's storage: it can be printed until the page is left
    }
  }

  find(): Asked | null {
    let found = this.#asked;
    if (!found) {
      try {
        found = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Asked | null;
      } catch {
        found = null;
      }
    }
    const mine = found && session.who && found.officer === session.who.name && found.party === session.who.party;
    return mine ? found : null;
  }

  forget(): void {
    this.#asked = null;
    sessionStorage.removeItem(KEY);
  }
}

export const answers = new Answers();
