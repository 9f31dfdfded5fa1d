/** Edges of a band: a number, and what it is counted in and from. The two are never apart, because 5,000 alone says nothing. */
import { numberText } from "./exact";

/** Unit and datum in one, as the node knows them. */
export const LEVELS = ["FL", "ft MSL", "ft AGL", "m MSL", "m AGL", "ft WGS84", "m WGS84", "ft STD", "m STD"] as const;
export type Level = (typeof LEVELS)[number];

export interface Edge {
  value: string; // as typed
  level: Level | "";
}

export function unitOf(level: Level): { unit: string; datum: string } {
  if (level === "FL") return { unit: "FL", datum: "STD" };
  const [unit = "", datum = ""] = level.split(" ");
  return { unit, datum };
}

export function levelOf(unit: string, datum: string): Level | "" {
  const level = unit === "FL" ? "FL" : `${unit} ${datum}`;
  return LEVELS.find((one) => one === level) ?? "";
}

const NAMES: [RegExp, Level][] = [
  [/^FL$/i, "FL"],
  [/^(ft|feet|')? ?(A?MSL|MSL)$/i, "ft MSL"],
  [/^(ft|feet|')? ?AGL$/i, "ft AGL"],
  [/^(m|metres?|meters?) ?A?MSL$/i, "m MSL"],
  [/^(m|metres?|meters?) ?AGL$/i, "m AGL"],
  [/^(ft|feet)? ?WGS ?84$/i, "ft WGS84"],
  [/^(m|metres?|meters?) ?WGS ?84$/i, "m WGS84"],
];

/**
 * An edge from what was typed into one field: `FL250`, `5000 ft MSL`, `GND`, or a number that keeps the level chosen beside it.
 */
export function readEdge(typed: string, level: Level | ""): Edge {
  const text = typed.trim();
  if (/^(GND|SFC)$/i.test(text)) return { value: "0", level: "ft AGL" };
  const flight = /^FL ?(\d{1,4})$/i.exec(text);
  if (flight) return { value: flight[1]!, level: "FL" };
  const named = /^([+\-−]?[\d.,٠-٩۰-۹]+) ?([a-z'][a-z0-9 ']*)$/i.exec(text);
  const found = named && NAMES.find(([pattern]) => pattern.test(named[2]!.trim()));
  if (named && found) return { value: named[1]!, level: found[1] };
  return { value: typed, level };
}

/** Whether an edge can be sent. */
export function edgeReady(edge: Edge): boolean {
  return edge.level !== "" && numberText(edge.value) !== null;
}
