/** What the node read out of a pasted text, made ready for the form. */
import type { Schemas } from "../../api/client";
import { Exact } from "./exact";
import { type PieceDraft, type Shape, shapeFromFeature } from "./draft";
import { type Edge, levelOf } from "./level";
import { fieldTime } from "./when";

export type Reading = Schemas["Reading"];
type Altitude = NonNullable<Reading["lower"]>;

export interface Used {
  name: string; // what the file called it
  shape: Shape;
  /** Only what the text said; the rest of the form stays as it is. */
  piece: Partial<Pick<PieceDraft, "edges" | "lower" | "upper" | "start" | "end">>;
  notice: { activity?: string; precedence?: string; region?: string; text?: string };
}

function edgeOf(altitude: Altitude | null | undefined): Edge | undefined {
  if (!altitude) return undefined;
  return { value: new Exact(String(altitude.value)).text, level: levelOf(altitude.unit, altitude.datum) };
}

/** The shapes that a notice or a question can take, with what the text says about each; own words before those of the whole text. */
export function usable(reading: Reading): Used[] {
  const found: Used[] = [];
  for (const feature of reading.features) {
    const properties = feature.properties;
    const shape = shapeFromFeature({
      type: "Feature",
      geometry: feature.geometry,
      properties: properties as unknown as Record<string, unknown>,
    });
    if (!shape) continue;
    const piece: Used["piece"] = {};
    const lower = edgeOf(properties.lower ?? reading.lower);
    const upper = edgeOf(properties.upper ?? reading.upper);
    const start = properties.start ?? reading.start;
    const end = properties.end ?? reading.end;
    if (properties.edges) piece.edges = properties.edges;
    if (lower) piece.lower = lower;
    if (upper) piece.upper = upper;
    if (start) piece.start = fieldTime(start);
    if (end) piece.end = fieldTime(end);
    const notice: Used["notice"] = {};
    for (const name of ["activity", "precedence", "region", "text"] as const) {
      const value = properties[name];
      if (typeof value === "string") notice[name] = value;
    }
    found.push({ name: properties.name ?? "", shape, piece, notice });
  }
  return found;
}

export interface At {
  lat: number;
  lon: number;
  asRead: string;
  /** Of somebody who moves: when it is there. */
  time?: string;
}

/** The positions to echo: as they were written where the node says so, else those of the shapes. */
export function echoed(reading: Reading, used: Used[]): At[] {
  const drawn = used.flatMap(({ shape }) => positionsAt(shape));
  if (!reading.positions.length) return drawn;
  const same = drawn.length === reading.positions.length; // an area's last position stands in the text, and is left out of its shape
  return reading.positions.map(({ lat, lon, as_read }, i) => ({ lat, lon, asRead: as_read, time: same ? drawn[i]!.time : undefined }));
}

export function positionsAt(shape: Shape): At[] {
  const at = ([lon, lat]: readonly [string, string]): At => ({ lat: Number(lat), lon: Number(lon), asRead: "" });
  if (shape.kind === "circle") return [at(shape.at)];
  if (shape.kind === "corridor") return shape.points.map(at);
  if (shape.kind === "moving") return shape.points.map((point, i) => ({ ...at(point), time: shape.times[i] }));
  return shape.polygons.flatMap((rings) => rings.flatMap((ring) => ring.slice(0, -1).map(at)));
}
