import { tick } from "svelte";

/**
 * Moves the mark in the list inside a panel by one row, as its arrow keys do, and gives it the focus so that Enter opens the row.
 * Headings are passed over; the arrow keys stop on them, because Enter folds them.
 */
export async function stepIn(panel: HTMLElement | undefined, by: 1 | -1): Promise<void> {
  const list = panel?.querySelector<HTMLElement>("[role=listbox]");
  if (!list) return;
  list.focus();
  press(list, by);
  await tick();
  const at = document.getElementById(list.getAttribute("aria-activedescendant") ?? "");
  if (at?.querySelector("[data-heading]")) press(list, by);
}

function press(list: HTMLElement, by: 1 | -1): void {
  list.dispatchEvent(new KeyboardEvent("keydown", { key: by > 0 ? "ArrowDown" : "ArrowUp", bubbles: true, cancelable: true }));
}
