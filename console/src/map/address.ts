/** The map's part of the address: `c=lat,lon&z=&t=&layers=`. What cannot be read is left out, never guessed. */
import { wrap } from "../geo/geodesic";
import { MOST_LAT } from "./mercator";

export const LAYERS = ["own", "peer", "ended", "conflicts", "names", "airports", "graticule"] as const;
export type Layer = (typeof LAYERS)[number];
export const USUAL_LAYERS: readonly Layer[] = LAYERS.filter((layer) => layer !== "airports");

export const LEAST_ZOOM = 1;
export const MOST_ZOOM = 15;

export interface Place {
  lat: number;
  lon: number;
  zoom: number;
}

export function readPlace(params: Readonly<Record<string, string>>): Place | null {
  const [lat, lon, ...rest] = (params.c ?? "").split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  const zoom = Number(params.z ?? NaN);
  if (lat === undefined || lon === undefined || rest.length || !(Math.abs(lat) <= MOST_LAT) || !Number.isFinite(lon)) return null;
  return { lat, lon: wrap(lon), zoom: Number.isFinite(zoom) ? Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, zoom)) : 7 };
}

export function writePlace({ lat, lon, zoom }: Place): { c: string; z: string } {
  return { c: `${lat.toFixed(4)},${wrap(lon).toFixed(4)}`, z: zoom.toFixed(2) };
}

/** `2015-12-12T14:00Z`, to the minute. */
export function readTime(params: Readonly<Record<string, string>>): number | null {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}Z$/.test(params.t ?? "")) return null;
  const found = Date.parse(params.t!);
  return Number.isFinite(found) ? found : null;
}

export function writeTime(time: number | null): string | null {
  return time === null ? null : `${new Date(time).toISOString().slice(0, 16)}Z`;
}

export function readLayers(params: Readonly<Record<string, string>>): ReadonlySet<Layer> {
  if (params.layers === undefined) return new Set(USUAL_LAYERS);
  const named = params.layers.split(",");
  return new Set(LAYERS.filter((layer) => named.includes(layer)));
}

/** Null for the usual layers: an address says only what is unusual. */
export function writeLayers(layers: ReadonlySet<Layer>): string | null {
  const usual = LAYERS.every((layer) => layers.has(layer) === USUAL_LAYERS.includes(layer));
  return usual ? null : LAYERS.filter((layer) => layers.has(layer)).join(",");
}
