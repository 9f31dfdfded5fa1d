/** What of a preview the form needs besides what it shows. */
import type { Schemas } from "../../api/client";

type Preview = Schemas["Preview"];

/** When the first of its volumes begins, in milliseconds. */
export function firstStart(preview: Preview): number | null {
  const starts = preview.pieces.map((piece) => Date.parse(piece.start));
  return starts.length ? Math.min(...starts) : null;
}

/** The outlines for the map; all of them warn where one notice as a whole would meet another. */
export function outlinesOf(preview: Preview): { outline: number[][][][]; conflict: boolean }[] {
  const conflict = preview.verdict === "conflict";
  return preview.pieces.map((piece) => ({ outline: piece.outline as number[][][][], conflict }));
}

/** Names in the officer's language: `South and East`. */
export function joined(names: string[], language: string): string {
  return new Intl.ListFormat(language, { type: "conjunction" }).format(names);
}
