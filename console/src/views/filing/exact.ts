/**
 * JSON whose numbers keep the very text they were written in. The node reads decimals, not binary fractions: what an officer
 * typed is what is signed, and a notice that is loaded and not changed is sent back letter for letter.
 */

export class Exact {
  constructor(readonly text: string) {}

  valueOf(): number {
    return Number(this.text);
  }
}

export type Json = null | boolean | string | Exact | Json[] | { [key: string]: Json };

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const MARK = "\u0000number:"; // no JSON text holds a bare NUL, so nothing that was written can look like this

/** Whether a text is a number as JSON writes it. */
export function isNumber(text: string): boolean {
  return NUMBER.test(text);
}

/** Reads JSON; numbers become `Exact`. */
export function readExact(text: string): Json {
  const marked = text.replace(TOKENS, (token) => (token.startsWith('"') ? token : JSON.stringify(MARK + token)));
  return JSON.parse(marked, (_key, value: unknown) =>
    typeof value === "string" && value.startsWith(MARK) ? new Exact(value.slice(MARK.length)) : value,
  ) as Json;
}

/** Writes JSON without spaces, in the order of the members. */
export function writeExact(value: Json): string {
  if (value instanceof Exact) return value.text;
  if (Array.isArray(value)) return `[${value.map(writeExact).join(",")}]`;
  if (value !== null && typeof value === "object") {
    return `{${Object.entries(value)
      .map(([key, one]) => `${JSON.stringify(key)}:${writeExact(one)}`)
      .join(",")}}`;
  }
  return JSON.stringify(value);
}

/**
 * A number as people type it, as JSON writes it: `5,000` and `05` and `+3` and Arabic digits too; null when it is none.
 * A comma is a mark of thousands only where three digits follow it; any other comma would be a guess.
 */
export function numberText(typed: string): string | null {
  const plain = typed
    .trim()
    .replace(/[٠-٩]/g, (digit) => String(digit.charCodeAt(0) - 0x660))
    .replace(/[۰-۹]/g, (digit) => String(digit.charCodeAt(0) - 0x6f0))
    .replace(/[−–]/g, "-")
    .replace(/٫/g, ".");
  const match = /^([+-]?)(\d{1,3}(?:[,\u00a0\u202f ]\d{3})+|\d+)(\.\d+)?$/.exec(plain);
  if (!match) return null;
  const whole = match[2]!.replace(/\D/g, "").replace(/^0+(?=\d)/, "");
  return `${match[1] === "-" ? "-" : ""}${whole}${match[3] ?? ""}`;
}
