/** Keys: one table, from which the list on `?` is made. Single letters can be switched off in the settings (WCAG 2.1.4). */
import { untrack } from "svelte";
import { settings } from "./settings.svelte";

export interface Key {
  key: string; // as in KeyboardEvent.key: "n", "?", "F1", "Escape", "ArrowDown"
  label: string; // translation key
  act: () => void;
  alt?: boolean;
}

class Keys {
  list = $state.raw<readonly Key[]>([]); // to be shown
  // what counts: read in an effect, `list` may be as it was before the effects that ran just now
  #all: readonly Key[] = [];

  constructor() {
    addEventListener("keydown", (event) => this.#press(event));
  }

  /** Adds keys; the answer takes them away again. Later ones win. */
  add(keys: Key[]): () => void {
    this.#change([...keys, ...this.#all]);
    return () => this.#change(this.#all.filter((key) => !keys.includes(key)));
  }

  /** Untracked: an effect that adds its keys must not run again because the list has grown. */
  #change(keys: readonly Key[]): void {
    this.#all = keys;
    untrack(() => (this.list = keys));
  }

  #press(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.isComposing) return;
    if (document.querySelector("dialog:modal")) return; // it has the keyboard to itself, and closes on Escape by itself
    const at = event.target as HTMLElement;
    if (document.querySelector("[role=alertdialog], dialog[open]") && event.key.length === 1) return; // what is covered is out of reach
    const field = at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName);
    // a choice just made with the mouse has the focus and takes no letters, but Space and the arrows are its own
    const writing = field && !(at instanceof HTMLInputElement && /^(radio|checkbox)$/.test(at.type) && event.key !== " ");
    const single = event.key.length === 1;
    if (single && (writing || !settings.letters)) return;
    if (field && !single && event.key !== "F1" && event.key !== "Escape") return;
    // letters and digits by their place on the keyboard too, so that a Russian or Arabic layout reaches them
    const letter = /^(?:Key|Digit)([A-Z0-9])$/.exec(event.code)?.[1]?.toLowerCase();
    const found = this.#all.find(
      (key) => (key.alt ?? false) === event.altKey && (key.key === event.key || (key.key.length === 1 && key.key === letter && !event.shiftKey)),
    );
    if (!found) return;
    event.preventDefault();
    found.act();
  }
}

export const keys = new Keys();
