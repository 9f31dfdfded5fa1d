/** The tokens' values, for canvases, which cannot read them by themselves. Read anew whenever the light changes. */

const NAMES = [
  "accent", "caution", "coast", "border", "edge", "edge-strong", "emergency", "emergency-ground", "emergency-ink", "ended", "focus", "graticule", "ground", "ink", "ink-quiet", "land", "now",
  "own", "own-fill", "peer", "peer-fill", "place", "raised", "sea", "surface", "warning",
] as const;

type Name = (typeof NAMES)[number];

export type Colours = Record<Name, string> & {
  /** Fonts at the reader's text size: words and figures. */
  words: string;
  figures: string;
  small: number;
};

export function readColours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const rem = parseFloat(style.fontSize);
  const small = parseFloat(token("text-small")) * rem;
  const found = Object.fromEntries(NAMES.map((name) => [name, token(name)])) as Record<Name, string>;
  return { ...found, small, words: `${small}px ${token("font")}`, figures: `${small}px ${token("font-figures")}` };
}
