/** Where somebody who moves is at a time. For the eye only: the node judges on whole numbers (docs/spec/airspace-model.md, section 14). */
import { type LonLat, travel } from "../geo/geodesic";
import type { Notice } from "../state/picture.svelte";
import { type Box, boxOf, HALF, MOST_LAT, projected, yOf } from "./mercator";

type Row = NonNullable<Notice["pieces"][number]["way"]>;
type Vector = readonly [number, number, number];

const FLATTENING = 1 / 298.257223563; // WGS84
const E2 = FLATTENING * (2 - FLATTENING);
const STRETCH = 1 / (1 - FLATTENING) ** 2; // of z squared, so that the ellipsoid is a sphere of radius 1
const RAD = Math.PI / 180;
const LEAST_CORNERS = 12;
const MOST_CORNERS = 72;

export class Way {
  readonly radius_m: number;
  readonly #points: readonly LonLat[];
  readonly #times: readonly number[];
  readonly #straight: boolean;

  constructor(row: Row) {
    this.radius_m = row.radius_m;
    this.#points = row.points.map((at) => [at[0]!, at[1]!] as const);
    this.#times = row.times.map((time) => Date.parse(time));
    this.#straight = row.edges === "planar";
  }

  /** Where the middle is, or null before the first of its times and after the last. */
  placeAt(at: number): LonLat | null {
    const [times, points] = [this.#times, this.#points];
    if (!times.length || at < times[0]! || at > times.at(-1)!) return null;
    let [low, high] = [0, times.length - 1]; // the edge from `low` on
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (times[middle]! <= at) low = middle;
      else high = middle;
    }
    const [from, to] = [points[low]!, points[high]!];
    const share = high > low && times[high]! > times[low]! ? (at - times[low]!) / (times[high]! - times[low]!) : 0;
    if (share <= 0 || (from[0] === to[0] && from[1] === to[1])) return from;
    if (share >= 1) return to;
    return this.#straight ? [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share] : along(from, to, share);
  }
}

/** A share of the chord between two places, carried to the ellipsoid as an edge's parts are (section 4): even shares of the chord. */
function along(from: LonLat, to: LonLat, share: number): LonLat {
  const [a, b] = [centred(from), centred(to)];
  const normal: Vector = [a[0] + b[0], a[1] + b[1], (a[2] + b[2]) * STRETCH];
  const chord: Vector = [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share];
  const [alpha, beta, gamma] = [stretched(normal, normal), stretched(chord, normal), stretched(chord, chord) - 1];
  if (!alpha) return from; // through the earth's centre; the node refuses such an edge
  const k = (Math.sqrt(beta * beta - alpha * gamma) - beta) / alpha;
  const [x, y, z] = [chord[0] + k * normal[0], chord[1] + k * normal[1], chord[2] + k * normal[2]];
  return [Math.atan2(y, x) / RAD, Math.atan2(z, Math.hypot(x, y) * (1 - E2)) / RAD];
}

/** Earth-centred, in half axes of the equator. */
function centred([lon, lat]: LonLat): Vector {
  const root = Math.sqrt(1 - E2 * Math.sin(lat * RAD) ** 2);
  return [
    (Math.cos(lat * RAD) * Math.cos(lon * RAD)) / root,
    (Math.cos(lat * RAD) * Math.sin(lon * RAD)) / root,
    ((1 - E2) * Math.sin(lat * RAD)) / root,
  ];
}

const stretched = (u: Vector, v: Vector): number => u[0] * v[0] + u[1] * v[1] + STRETCH * u[2] * v[2];

/**
 * All within a radius of a place, as a closed ring on the map's plane with its box. Round a pole it is led along the map's edge.
 *
 * @param resolution the plane's metres to a pixel: the smaller the ring is on the screen, the fewer corners it has.
 */
export function ringAround(place: LonLat, radius_m: number, resolution: number): { ring: Float64Array; box: Box } {
  const corners = Math.round(Math.min(MOST_CORNERS, Math.max(LEAST_CORNERS, radius_m / resolution)));
  const line: LonLat[] = Array.from({ length: corners + 1 }, (_, i) => travel(place, (360 / corners) * (i % corners), radius_m));
  let ring = projected(line);
  if (Math.abs(ring.at(-2)! - ring[0]!) > HALF) {
    const edge = yOf(place[1] > 0 ? MOST_LAT : -MOST_LAT);
    ring = Float64Array.of(...ring, ring.at(-2)!, edge, ring[0]!, edge, ring[0]!, ring[1]!);
  }
  return { ring, box: boxOf(ring) };
}
