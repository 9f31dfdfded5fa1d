/**
 * The map's plane: spherical Mercator (EPSG:3857), metres at the equator. Angles are true, so bearings look right; lengths grow towards
 * the poles (twice at 60 degrees), so nothing is ever measured on it. It ends at 85 degrees.
 */
import type { LonLat } from "../geo/geodesic";

const RADIUS_M = 6_378_137;
export const HALF = Math.PI * RADIUS_M;
export const WORLD = 2 * HALF;
export const MOST_LAT = 85.0511;
const RAD = Math.PI / 180;

export function xOf(lon: number): number {
  return lon * RAD * RADIUS_M;
}

export function yOf(lat: number): number {
  const shown = Math.max(-MOST_LAT, Math.min(MOST_LAT, lat));
  return RADIUS_M * Math.log(Math.tan(Math.PI / 4 + (shown * RAD) / 2));
}

export function lonOf(x: number): number {
  return x / RADIUS_M / RAD;
}

export function latOf(y: number): number {
  return (2 * Math.atan(Math.exp(y / RADIUS_M)) - Math.PI / 2) / RAD;
}

/** West, south, east, north, in metres of the plane. */
export type Box = [number, number, number, number];

export function meets(a: Box, b: Box): boolean {
  return a[0] <= b[2] && a[2] >= b[0] && a[1] <= b[3] && a[3] >= b[1];
}

export function around(boxes: Iterable<Box>): Box | null {
  const whole: Box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [w, s, e, n] of boxes) {
    whole[0] = Math.min(whole[0], w);
    whole[1] = Math.min(whole[1], s);
    whole[2] = Math.max(whole[2], e);
    whole[3] = Math.max(whole[3], n);
  }
  return whole[0] > whole[2] ? null : whole;
}

/**
 * The smallest box around boxes on a round world: the widest gap between them is left out, so that two notices on both sides of
 * the antimeridian are shown beside each other.
 */
export function aroundTheWorld(boxes: readonly Box[]): Box | null {
  const flat = around(boxes);
  if (!flat) return null;
  const spans = boxes.map((box): [number, number] => [box[0], box[2]]).sort((a, b) => a[0] - b[0]);
  let gap = flat[0] + WORLD - flat[2];
  let west = flat[0];
  let reach = spans[0]![1];
  for (const [start, end] of spans) {
    if (start - reach > gap) [gap, west] = [start - reach, start];
    reach = Math.max(reach, end);
  }
  return [west, flat[1], west + WORLD - gap, flat[3]];
}

/** The whole worlds by which a box must be moved to be seen in a view that may run past the antimeridian. */
export function worlds(view: Box): number[] {
  const found: number[] = [];
  for (let k = Math.floor((view[0] + HALF) / WORLD); k <= Math.floor((view[2] + HALF) / WORLD); k++) found.push(k);
  return found;
}

/** A line of [longitude, latitude] on the plane, x and y in turn; never jumps from one edge of the world to the other. */
export function projected(line: readonly (readonly number[])[]): Float64Array {
  const flat = new Float64Array(line.length * 2);
  let before = line[0]?.[0] ?? 0;
  line.forEach(([lon = 0, lat = 0], i) => {
    before += ((((lon - before) % 360) + 540) % 360) - 180;
    flat[2 * i] = xOf(before);
    flat[2 * i + 1] = yOf(lat);
  });
  return flat;
}

export function boxOf(line: Float64Array): Box {
  const box: Box = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < line.length; i += 2) {
    const [x, y] = [line[i]!, line[i + 1]!];
    if (x < box[0]) box[0] = x;
    if (x > box[2]) box[2] = x;
    if (y < box[1]) box[1] = y;
    if (y > box[3]) box[3] = y;
  }
  return box;
}

/** Whether a point lies in a polygon (its first ring, less the others). */
export function contains(rings: readonly Float64Array[], x: number, y: number): boolean {
  let inside = false;
  for (const ring of rings) {
    for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
      const [xi, yi, xj, yj] = [ring[i]!, ring[i + 1]!, ring[j]!, ring[j + 1]!];
      if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
    }
  }
  return inside;
}

/** A point of a polygon to write on: its centroid, or where that lies outside, the middle of the widest part at its height. */
export function middleOf(rings: readonly Float64Array[]): LonLat {
  const ring = rings[0]!;
  const [x0, y0] = [ring[0]!, ring[1]!];
  let [area, x, y] = [0, 0, 0];
  for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
    const [ax, ay, bx, by] = [ring[j]! - x0, ring[j + 1]! - y0, ring[i]! - x0, ring[i + 1]! - y0];
    const cross = ax * by - bx * ay;
    area += cross;
    x += (ax + bx) * cross;
    y += (ay + by) * cross;
  }
  const box = boxOf(ring);
  const at: [number, number] = area ? [x0 + x / (3 * area), y0 + y / (3 * area)] : [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
  if (contains(rings, at[0], at[1])) return at;
  const crossings: number[] = [];
  for (const one of rings) {
    for (let i = 0, j = one.length - 2; i < one.length; j = i, i += 2) {
      const [xi, yi, xj, yj] = [one[i]!, one[i + 1]!, one[j]!, one[j + 1]!];
      if (yi > at[1] !== yj > at[1]) crossings.push(((xj - xi) * (at[1] - yi)) / (yj - yi) + xi);
    }
  }
  crossings.sort((a, b) => a - b);
  let widest = 0;
  for (let i = 0; i + 1 < crossings.length; i += 2) {
    const width = crossings[i + 1]! - crossings[i]!;
    if (width > widest) [widest, at[0]] = [width, (crossings[i]! + crossings[i + 1]!) / 2];
  }
  return at;
}
