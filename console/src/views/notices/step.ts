/** Moves the mark in the list inside a panel by one row, as its arrow keys do, and gives it the focus so that Enter opens the row. */
export function stepIn(panel: HTMLElement | undefined, by: 1 | -1): void {
  const list = panel?.querySelector<HTMLElement>("[role=listbox]");
  if (!list) return;
  list.focus();
  list.dispatchEvent(new KeyboardEvent("keydown", { key: by > 0 ? "ArrowDown" : "ArrowUp", bubbles: true, cancelable: true }));
}
