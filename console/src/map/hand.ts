/** What a hand draws: points become a shape, and a shape's handles move it. Positions are [longitude, latitude] in degrees. */
import { legBetween, type LonLat, METRES_PER_NM, travel, wrap } from "../geo/geodesic";
import type { Feature, Tool } from "../state/stage.svelte";

export const USUAL_HALF_WIDTH_NM = 2.5;
const DIGITS = 1e6; // a position is signed to a tenth of a metre
const CIRCLE_POINTS = 72;

export type Shaped = Exclude<Tool, "measure">;

const six = (degrees: number): number => Math.round(degrees * DIGITS) / DIGITS;
export const rounded = ([lon, lat]: LonLat): [number, number] => [six(wrap(six(lon))), six(lat)];
const nm = (metres: number): number => Math.max(0.01, Math.round((metres / METRES_PER_NM) * 100) / 100);

export const LEAST_POINTS: Record<Tool, number> = { polygon: 3, circle: 2, corridor: 2, measure: 2 };

/** The shape that points make, or null while they are too few. */
export function shapeOf(tool: Shaped, points: readonly LonLat[]): Feature | null {
  if (points.length < LEAST_POINTS[tool]) return null;
  const all = points.map(rounded);
  if (tool === "polygon") return { type: "Feature", geometry: { type: "Polygon", coordinates: [[...all, all[0]]] }, properties: {} };
  if (tool === "corridor") {
    return { type: "Feature", geometry: { type: "LineString", coordinates: all }, properties: { half_width_nm: USUAL_HALF_WIDTH_NM } };
  }
  const radius_nm = nm(legBetween(all[0]!, all[1]!).distance_m);
  return { type: "Feature", geometry: { type: "Point", coordinates: all[0] }, properties: { radius_nm } };
}

/** A circle's ring, closed. */
export function circle(center: LonLat, radius_nm: number): LonLat[] {
  return Array.from({ length: CIRCLE_POINTS + 1 }, (_, i) => travel(center, (360 / CIRCLE_POINTS) * (i % CIRCLE_POINTS), radius_nm * METRES_PER_NM));
}

export function radiusOf(feature: Feature): number | null {
  const radius = feature.properties.radius_nm;
  return typeof radius === "number" && radius > 0 ? radius : null;
}

/** Lines to draw for a feature: rings, a circle's ring, a line's points. */
export function linesOf(feature: Feature): LonLat[][] {
  const geometry = feature.geometry;
  const coordinates = geometry?.coordinates as never;
  switch (geometry?.type) {
    case "Polygon":
      return coordinates as LonLat[][];
    case "MultiPolygon":
      return (coordinates as LonLat[][][]).flat();
    case "LineString":
      return [coordinates as LonLat[]];
    case "Point": {
      const radius = radiusOf(feature);
      return radius ? [circle(coordinates as LonLat, radius)] : [[coordinates as LonLat]];
    }
    default:
      return [];
  }
}

/** What a hand can take hold of; a `middle` makes a new vertex when it is moved. */
export interface Handle {
  kind: "vertex" | "middle" | "center" | "radius";
  ring: number;
  index: number;
  at: LonLat;
}

const between = (a: LonLat, b: LonLat): LonLat => [a[0] + wrap(b[0] - a[0]) / 2, (a[1] + b[1]) / 2];

export function handlesOf(feature: Feature): Handle[] {
  const geometry = feature.geometry;
  if (geometry?.type === "Point") {
    const center = geometry.coordinates as LonLat;
    const radius = radiusOf(feature);
    const found: Handle[] = [{ kind: "center", ring: 0, index: 0, at: center }];
    if (radius) found.push({ kind: "radius", ring: 0, index: 0, at: travel(center, 90, radius * METRES_PER_NM) });
    return found;
  }
  if (geometry?.type !== "Polygon" && geometry?.type !== "LineString") return [];
  const rings = geometry.type === "Polygon" ? (geometry.coordinates as LonLat[][]) : [geometry.coordinates as LonLat[]];
  return rings.flatMap((points, ring) => {
    const own = geometry.type === "Polygon" ? points.slice(0, -1) : points;
    const vertices = own.map((at, index): Handle => ({ kind: "vertex", ring, index, at }));
    const middles = points.slice(1).map((at, index): Handle => ({ kind: "middle", ring, index, at: between(points[index]!, at) }));
    return feature.properties.times ? vertices : [...vertices, ...middles]; // a new position would have no time
  });
}

/** The feature with one of its handles elsewhere; its other properties stay. */
export function movedTo(feature: Feature, handle: Handle, to: LonLat): Feature {
  const geometry = feature.geometry!;
  if (handle.kind === "radius") {
    return { ...feature, properties: { ...feature.properties, radius_nm: nm(legBetween(geometry.coordinates as LonLat, to).distance_m) } };
  }
  if (handle.kind === "center") return { ...feature, geometry: { ...geometry, coordinates: rounded(to) } };
  const polygon = geometry.type === "Polygon";
  const rings = (polygon ? (geometry.coordinates as LonLat[][]) : [geometry.coordinates as LonLat[]]).map((ring) => [...ring]);
  const ring = rings[handle.ring]!;
  if (handle.kind === "middle") ring.splice(handle.index + 1, 0, rounded(to));
  else ring[handle.index] = rounded(to);
  if (polygon && handle.index === 0 && handle.kind === "vertex") ring[ring.length - 1] = rounded(to);
  return { ...feature, geometry: { ...geometry, coordinates: polygon ? rings : ring } };
}

/** The feature without one vertex, or null where too few would be left. */
export function without(feature: Feature, handle: Handle): Feature | null {
  const geometry = feature.geometry!;
  if (handle.kind !== "vertex" || feature.properties.times) return null; // each time has its position
  const polygon = geometry.type === "Polygon";
  const rings = (polygon ? (geometry.coordinates as LonLat[][]) : [geometry.coordinates as LonLat[]]).map((ring) => [...ring]);
  const ring = rings[handle.ring]!;
  if (ring.length <= (polygon ? 4 : 2)) return null;
  ring.splice(handle.index, 1);
  if (polygon && handle.index === 0) ring[ring.length - 1] = ring[0]!;
  return { ...feature, geometry: { ...geometry, coordinates: polygon ? rings : ring } };
}

/** Legs of a measured line and their sum. */
export function measured(points: readonly LonLat[]): { legs: { distance_m: number; bearing_deg: number }[]; total_m: number } {
  const legs = points.slice(1).map((to, i) => legBetween(points[i]!, to));
  return { legs, total_m: legs.reduce((sum, leg) => sum + leg.distance_m, 0) };
}
