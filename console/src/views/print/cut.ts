/** What is cut so that a sheet stays one page; the sheet says so, and the record has all of it. */

export interface Cut<T> {
  shown: T[];
  left: number;
}

export function cutList<T>(list: readonly T[], most: number): Cut<T> {
  return list.length <= most ? { shown: [...list], left: 0 } : { shown: list.slice(0, most), left: list.length - most };
}

/** A text of at most `most` characters and as few lines as that leaves; null marks stand in the sheet, not in the text. */
export function cutText(text: string, most: number): { text: string; cut: boolean } {
  const lines = text.split("\n");
  const mostLines = Math.max(2, Math.floor(most / 60));
  const few = lines.slice(0, mostLines).join("\n");
  // by whole characters, so that no half of a surrogate pair is left at the end
  const all = [...few];
  const short = all.length > most ? all.slice(0, most).join("") : few;
  return { text: short, cut: short.length < text.length };
}

/** How much fits: the sheet begins with the first and goes on until it fits a page. */
export const FITS = [
  { text: 900, rows: 8, positions: 12, height: 240 },
  { text: 500, rows: 6, positions: 8, height: 200 },
  { text: 300, rows: 4, positions: 5, height: 170 },
  { text: 160, rows: 3, positions: 3, height: 140 },
  { text: 80, rows: 2, positions: 2, height: 110 },
  { text: 40, rows: 1, positions: 1, height: 80 },
] as const;
export type Fit = (typeof FITS)[number];
