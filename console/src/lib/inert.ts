/**
 * What a peer wrote, made safe to look at. Svelte never takes text for markup; what is left is text that lies about its own
 * order or length: bidirectional overrides, zero-width and control characters are shown by their number, and a long text is cut.
 */

const HIDDEN = /\p{Default_Ignorable_Code_Point}|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\u070f]|[\u{13430}-\u{1343f}]|[\u{e0000}-\u{e0fff}]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu;
const MOST_MARKS = 3; // combining marks on one letter; more climb over the lines above

export const SHOWN_CHARS = 4000;

export function inert(text: unknown, most: number = SHOWN_CHARS): string {
  const whole = typeof text === "string" ? text : text === null || text === undefined ? "" : String(text);
  const cut = whole.length > most ? `${whole.slice(0, most)}…` : whole;
  return cut
    .replace(HIDDEN, (c) => `⟨U+${c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}⟩`)
    .replace(new RegExp(`(\\p{M}{${MOST_MARKS}})\\p{M}+`, "gu"), "$1");
}
