/** Slots of a phrase: what an officer types, as it travels. Null is what cannot be read; the node judges the rest. */
import { type Edge, readEdge, unitOf } from "../filing/level";
import { numberText } from "../filing/exact";

export type SlotValue = string | number | { lat: number; lon: number } | { tenth_mm: number; unit: string; datum: string };
export type SlotType = "place" | "time" | "altitude" | "callsign" | "number" | "duration";
export type LengthUnit = "s" | "min" | "h";

const NANODEG = 1e9;
const NUMBER_MOST = 1_000_000_000;
const TENTH_MM: Record<string, number> = { FL: 304_800, ft: 3_048, m: 10_000 };
const SECONDS: Record<LengthUnit, number> = { s: 1, min: 60, h: 3_600 };

/** A slot's type, and which of its type it is: `time-2` is the second time. */
export function slotOf(name: string): { type: SlotType; nth: number } {
  const [type = "", nth] = name.split("-");
  return { type: type as SlotType, nth: Number(nth ?? 1) };
}

/** The parts of a phrase: words, and names of slots. */
export function partsOf(text: string): { words?: string; slot?: string }[] {
  return text
    .split(/(\{[a-z0-9-]+\})/)
    .filter(Boolean)
    .map((part) => (part.startsWith("{") ? { slot: part.slice(1, -1) } : { words: part }));
}

export function placeOf(position: { lat: number; lon: number }): SlotValue {
  return { lat: Math.round(position.lat * NANODEG), lon: Math.round(position.lon * NANODEG) };
}

export function callsignOf(typed: string): string | null {
  const text = typed.trim().toUpperCase().replace(/\s+/g, " ");
  return /^[A-Z0-9](?:[A-Z0-9 -]{0,14}[A-Z0-9])?$/.test(text) ? text : null;
}

/** A whole number from nought. */
export function numberOf(typed: string): number | null {
  const text = numberText(typed);
  if (text === null || !/^\d+$/.test(text)) return null;
  const value = Number(text);
  return value <= NUMBER_MOST ? value : null;
}

export function durationOf(typed: string, unit: LengthUnit): number | null {
  const text = numberText(typed);
  if (text === null || text.startsWith("-")) return null;
  const seconds = Number(text) * SECONDS[unit];
  return Number.isInteger(seconds) && seconds <= NUMBER_MOST ? seconds : null;
}

/** An altitude with its unit and datum; without a datum it is none. */
export function altitudeOf(edge: Edge): { tenth_mm: number; unit: string; datum: string } | null {
  const read = readEdge(edge.value, edge.level);
  const text = numberText(read.value);
  if (text === null || read.level === "") return null;
  const { unit, datum } = unitOf(read.level);
  return { tenth_mm: Math.round(Number(text) * (TENTH_MM[unit] ?? 0)), unit, datum };
}
