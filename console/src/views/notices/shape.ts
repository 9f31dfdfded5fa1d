/** The shape of one piece of a notice as it was filed, for reading: what kind, how large, and its positions ring by ring. */
import type { Schemas } from "../../api/client";

export type Geometry = Schemas["NoticeFeature"]["geometry"];
export type LonLat = readonly [number, number];

export interface Ring {
  hole: boolean;
  positions: LonLat[];
}

export interface Shape {
  kind: "circle" | "corridor" | "area" | "moving";
  rings: Ring[];
  corners: number;
}

/** A ring without its last position, which repeats the first. */
function ringOf(ring: readonly (readonly number[])[], hole: boolean): Ring {
  return { hole, positions: ring.slice(0, -1).map((at) => [at[0]!, at[1]!] as const) };
}

/** With `moves` the line is the way of somebody who moves, and not a corridor. */
export function shapeOf(geometry: Geometry, moves = false): Shape {
  let kind: Shape["kind"] = "area";
  let rings: Ring[];
  if (geometry.type === "Point") {
    kind = "circle";
    rings = [{ hole: false, positions: [[geometry.coordinates[0]!, geometry.coordinates[1]!]] }];
  } else if (geometry.type === "LineString") {
    kind = moves ? "moving" : "corridor";
    rings = [{ hole: false, positions: geometry.coordinates.map((at) => [at[0]!, at[1]!] as const) }];
  } else {
    const polygons = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
    rings = polygons.flatMap((polygon) => polygon.map((ring, i) => ringOf(ring, i > 0)));
  }
  return { kind, rings, corners: rings.reduce((sum, ring) => sum + ring.positions.length, 0) };
}

/** `10.00 NM (18.52 km)`: a length in metres, as pilots and surveyors read it. */
export function lengthWords(metres: number): string {
  const nm = metres / 1852;
  const km = metres / 1000;
  return `${nm.toFixed(nm < 10 ? 2 : 1)} NM (${km.toFixed(km < 10 ? 2 : 1)} km)`;
}
