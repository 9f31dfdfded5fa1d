/** Positions in the three notations, and how far and which way. All of it for reading: what counts is the signed text. */
import { forward } from "mgrs";
import { type Leg, legBetween, METRES_PER_NM, wrap } from "./geodesic";
import { loadPlaces, type Nearest, nearestOf } from "./places";

export type { Leg } from "./geodesic";
export type { Nearest } from "./places";

export interface Position {
  lat: number;
  lon: number;
}

export type Notation = "dms" | "decimal" | "mgrs";
export const NOTATIONS: readonly Notation[] = ["dms", "decimal", "mgrs"];

const NANODEG = 1e9;
const digits = (n: number, width: number): string => String(n).padStart(width, "0");

/** How many parts of a degree (`perDegree` to one), half to even: as the node rounds, so that both write a position alike. */
function parts(degrees: number, perDegree: number): number {
  const shorter = perDegree >= 100_000 ? 100_000 : 1; // keeps the product below 2^53, so that nothing is lost
  const scaled = Math.round(Math.abs(degrees) * NANODEG) * (perDegree / shorter);
  const divisor = NANODEG / shorter;
  const rest = scaled % divisor;
  const whole = (scaled - rest) / divisor;
  const up = rest * 2 > divisor || (rest * 2 === divisor && whole % 2 === 1);
  return up ? whole + 1 : whole;
}

function dmsOf(degrees: number, width: number, letters: string): string {
  const all = parts(degrees, 36_000);
  const tenths = all % 600;
  const minutes = ((all - tenths) / 600) % 60;
  const whole = Math.floor(all / 36_000);
  const letter = letters[degrees < 0 && all ? 1 : 0];
  return `${digits(whole, width)}°${digits(minutes, 2)}′${digits(Math.floor(tenths / 10), 2)}.${tenths % 10}″${letter}`;
}

function decimalOf(degrees: number): string {
  const all = parts(degrees, 100_000);
  return `${degrees < 0 && all ? "-" : ""}${Math.floor(all / 100_000)}.${digits(all % 100_000, 5)}`;
}

/** `35°31′25.0″N 035°47′15.7″E`. */
export function dms(lat: number, lon: number): string {
  return `${dmsOf(lat, 2, "NS")} ${dmsOf(wrapped(lon), 3, "EW")}`;
}

/** `35.52361, 35.78769`: latitude first. */
export function decimal(lat: number, lon: number): string {
  return `${decimalOf(lat)}, ${decimalOf(wrapped(lon))}`;
}

/** The square of one metre, `36S YE 52670 34688`; null near the poles, where that grid ends. */
export function mgrs(lat: number, lon: number): string | null {
  if (!(lat >= -80 && lat < 84)) return null;
  const text = forward([wrapped(lon), lat], 5).padStart(15, "0");
  return `${text.slice(0, 3)} ${text.slice(3, 5)} ${text.slice(5, 10)} ${text.slice(10)}`;
}

const wrapped = (lon: number): number => (lon === -180 ? lon : wrap(lon));

/** A position in a notation; where the grid ends, in degrees. */
export function written(notation: Notation, lat: number, lon: number): string {
  if (notation === "mgrs") return mgrs(lat, lon) ?? dms(lat, lon);
  return notation === "decimal" ? decimal(lat, lon) : dms(lat, lon);
}

/** How far and which way (true, at the start), on the ellipsoid; see `legBetween`. */
export function leg(from: Position, to: Position): Leg {
  return legBetween([from.lon, from.lat], [to.lon, to.lat]);
}

/** The town or airport nearest to a position; null where names cannot be had. */
export async function nearest(lat: number, lon: number): Promise<Nearest | null> {
  try {
    return nearestOf(await loadPlaces(), lat, lon);
  } catch {
    return null;
  }
}

export function nauticalMiles(metres: number): number {
  return metres / METRES_PER_NM;
}

/** Two or three figures that matter: `0.42`, `7.3`, `128`. */
function figures(n: number): string {
  return n < 1 ? n.toFixed(2) : n < 100 ? n.toFixed(1) : n.toFixed(0);
}

/** `7.3 NM`. */
export function inNm(metres: number): string {
  return `${figures(nauticalMiles(metres))} NM`;
}

/** `13.5 km`, `420 m`. */
export function inKm(metres: number): string {
  return metres < 1000 ? `${metres.toFixed(0)} m` : `${figures(metres / 1000)} km`;
}

/** `045°`; due north is 360 in speech and 000 here, as the compass shows it. */
export function bearing(bearing_deg: number): string {
  return `${digits(Math.round(bearing_deg) % 360, 3)}°`;
}
