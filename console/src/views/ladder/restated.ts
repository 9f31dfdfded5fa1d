/** What an officer is typing to read a notice back. Nothing of it is ever filled in from the notice. */
export interface Restated {
  place: string;
  from: string;
  until: string;
  words: string;
}

export function emptyRestated(): Restated {
  return { place: "", from: "", until: "", words: "" };
}
