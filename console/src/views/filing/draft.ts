/** A notice while it is being written: texts as typed, until they are made into the document that is sent. */
import type { Feature } from "../../state/stage.svelte";
import { Exact, type Json, numberText, readExact, writeExact } from "./exact";
import { type Edge, edgeReady, levelOf, unitOf } from "./level";
import { fieldTime, parseWhen } from "./when";

export type Position = readonly [lon: string, lat: string]; // degrees, as JSON writes numbers
export type SizeUnit = "nm" | "m";

/** A shape that stays where it is. */
export type Still =
  | { kind: "area"; polygons: Position[][][] } // rings closed, holes after the outline
  | { kind: "circle"; at: Position; size: string; unit: SizeUnit }
  | { kind: "corridor"; points: Position[]; size: string; unit: SizeUnit };

export type Shape =
  | Still
  // the way of somebody who moves: a time for each point, and a radius
  | { kind: "moving"; points: Position[]; times: string[]; size: string; unit: SizeUnit };

export interface PieceDraft {
  key: string;
  shape: Shape | null;
  edges: string;
  lower: Edge;
  upper: Edge;
  start: string;
  end: string;
}

export interface NoticeDraft {
  v: 1;
  id: string;
  exercise: boolean;
  activity: string;
  precedence: string;
  region: string;
  text: string;
  to: string[];
  pieces: PieceDraft[];
  /** What is amended: the whole id, and the version that was loaded. */
  amends: { id: string; version: number; to: string[] } | null;
  /** The document that was sent and not answered: the node may have it. */
  unsure: string | null;
}

export const ACTIVITIES = [
  "patrol",
  "transit",
  "recon",
  "strike-hazard",
  "exercise",
  "uas",
  "sar",
  "tanker",
  "transport",
  "training",
  "hazard",
  "launch",
  "airlift",
  "medevac",
  "humanitarian",
  "other",
] as const;
export const PRECEDENCES = ["routine", "priority", "urgent", "flash"] as const;

let made = 0;
const newKey = (): string => `${Date.now().toString(36)}-${(made += 1)}`;

/** A volume without a shape; band and times are those of the one before it. */
export function emptyPiece(like?: PieceDraft): PieceDraft {
  return {
    key: newKey(),
    shape: null,
    edges: "planar",
    lower: like ? { ...like.lower } : { value: "", level: "" },
    upper: like ? { ...like.upper } : { value: "", level: "" },
    start: like?.start ?? "",
    end: like?.end ?? "",
  };
}

export function emptyDraft(id: string, to: string[], exercise: boolean): NoticeDraft {
  return {
    v: 1,
    id,
    exercise,
    activity: "patrol",
    precedence: "routine",
    region: "",
    text: "",
    to,
    pieces: [emptyPiece()],
    amends: null,
    unsure: null,
  };
}

/** Whether somebody wrote anything worth keeping. */
export function hasContent(draft: NoticeDraft): boolean {
  const piece = (one: PieceDraft): boolean => Boolean(one.shape || one.start || one.end || one.lower.value || one.upper.value);
  return draft.unsure !== null || draft.amends !== null || Boolean(draft.region || draft.text) || draft.pieces.some(piece);
}

/** When a piece begins and ends; null for what cannot be read yet. One that moves says it itself. */
export function pieceTimes(piece: PieceDraft, now: number): { start: ReturnType<typeof parseWhen>; end: ReturnType<typeof parseWhen> } {
  if (piece.shape?.kind === "moving") {
    const [start, end] = [piece.shape.times[0], piece.shape.times.at(-1)].map((iso) => (iso ? { iso, ms: Date.parse(iso) } : null));
    return { start: start ?? null, end: end ?? null };
  }
  const start = parseWhen(piece.start, now);
  return { start, end: parseWhen(piece.end, start?.ms ?? now) };
}

export type Gap = "id" | "to" | "pieces" | "shape" | "size" | "start" | "end" | "order" | "lower" | "upper";

const ID = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/;

/** What is still missing before the node can be asked: words of this form, and the piece (from 0) they are about. */
export function findGaps(draft: NoticeDraft, now: number): { gap: Gap; piece: number | null }[] {
  const gaps: { gap: Gap; piece: number | null }[] = [];
  if (!ID.test(draft.id)) gaps.push({ gap: "id", piece: null });
  if (!draft.to.length) gaps.push({ gap: "to", piece: null });
  if (!draft.pieces.length) gaps.push({ gap: "pieces", piece: null });
  draft.pieces.forEach((piece, i) => {
    const { start, end } = pieceTimes(piece, now);
    if (!piece.shape) gaps.push({ gap: "shape", piece: i });
    else if (piece.shape.kind !== "area" && numberText(piece.shape.size) === null) gaps.push({ gap: "size", piece: i });
    if (!start) gaps.push({ gap: "start", piece: i });
    if (!end) gaps.push({ gap: "end", piece: i });
    if (start && end && start.ms >= end.ms) gaps.push({ gap: "order", piece: i });
    if (!edgeReady(piece.lower)) gaps.push({ gap: "lower", piece: i });
    if (!edgeReady(piece.upper)) gaps.push({ gap: "upper", piece: i });
  });
  return gaps;
}

function geometryOf(shape: Shape): Json {
  const at = (position: Position): Json => position.map((part) => new Exact(part));
  if (shape.kind === "circle") return { type: "Point", coordinates: at(shape.at) };
  if (shape.kind === "corridor" || shape.kind === "moving") return { type: "LineString", coordinates: shape.points.map(at) };
  const polygons = shape.polygons.map((rings) => rings.map((ring) => ring.map(at)));
  if (polygons.length === 1) return { type: "Polygon", coordinates: polygons[0]! };
  return { type: "MultiPolygon", coordinates: polygons };
}

/** How a property of the shape's size begins: a half width to either side of a line, a radius around a point, still or on its way. */
function sizeName(shape: Exclude<Shape, { kind: "area" }>): "radius" | "half_width" {
  return shape.kind === "corridor" ? "half_width" : "radius";
}

/** What of the shape stands in the properties, its size as typed. */
function ownProperties(shape: Shape, size: string): Members {
  if (shape.kind === "area") return {};
  const own: Members = { [`${sizeName(shape)}_${shape.unit}`]: new Exact(size) };
  if (shape.kind === "moving") own.times = shape.times;
  return own;
}

function edgeOf(edge: Edge): Json {
  if (edge.level === "") throw new Error("an edge without its level is not ready");
  const { unit, datum } = unitOf(edge.level);
  return { value: new Exact(numberText(edge.value)!), unit, datum };
}

/** The document that is filed. Call it only where `findGaps` found none. */
export function documentOf(draft: NoticeDraft, now: number): string {
  const features = draft.pieces.map((piece): Json => {
    const { start, end } = pieceTimes(piece, now);
    const properties: { [key: string]: Json } = {
      id: draft.id,
      exercise: draft.exercise,
      activity: draft.activity,
      start: start!.iso,
      end: end!.iso,
      lower: edgeOf(piece.lower),
      upper: edgeOf(piece.upper),
      edges: piece.edges,
      precedence: draft.precedence,
    };
    if (draft.region.trim()) properties.region = draft.region;
    if (draft.text.trim()) properties.text = draft.text;
    const shape = piece.shape!;
    if (shape.kind !== "area") Object.assign(properties, ownProperties(shape, numberText(shape.size)!));
    return { type: "Feature", geometry: geometryOf(shape), properties };
  });
  return writeExact({ type: "FeatureCollection", features });
}

type Members = { [key: string]: Json };
const members = (value: Json | undefined): Members =>
  value !== null && typeof value === "object" && !Array.isArray(value) && !(value instanceof Exact) ? value : {};
const list = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);
const word = (value: Json | undefined): string => (typeof value === "string" ? value : "");
const digits = (value: Json | undefined): string => (value instanceof Exact ? value.text : "");

function positionOf(value: Json): Position {
  const [lon, lat] = list(value);
  return [digits(lon), digits(lat)];
}

function shapeOf(geometry: Members, properties: Members): Shape | null {
  const unit: SizeUnit = "radius_nm" in properties || "half_width_nm" in properties ? "nm" : "m";
  const size = digits(properties[`radius_${unit}`] ?? properties[`half_width_${unit}`]);
  switch (geometry.type) {
    case "Point":
      return { kind: "circle", at: positionOf(geometry.coordinates!), size, unit: size ? unit : "nm" };
    case "LineString": {
      const line = { points: list(geometry.coordinates).map(positionOf), size, unit: size ? unit : ("nm" as const) };
      if (!properties.times) return { kind: "corridor", ...line };
      // The way of somebody who moves is no corridor; without a time for each position it is nothing.
      const times = list(properties.times).map(word);
      return times.length === line.points.length && times.every(Boolean) ? { kind: "moving", ...line, times } : null;
    }
    case "Polygon":
      return { kind: "area", polygons: [list(geometry.coordinates).map((ring) => list(ring).map(positionOf))] };
    case "MultiPolygon":
      return {
        kind: "area",
        polygons: list(geometry.coordinates).map((rings) => list(rings).map((ring) => list(ring).map(positionOf))),
      };
    default:
      return null;
  }
}

function edgeFrom(value: Json | undefined): Edge {
  const given = members(value);
  return { value: digits(given.value), level: levelOf(word(given.unit), word(given.datum)) };
}

/** A shape, or null where there is none, from GeoJSON that was read with its numbers as they stand. */
export function shapeFrom(feature: Json): Shape | null {
  const given = members(feature);
  return shapeOf(members(given.geometry), members(given.properties));
}

/** A shape that was drawn or read, from plain numbers. */
export function shapeFromFeature(feature: Feature): Shape | null {
  return shapeFrom(readExact(JSON.stringify({ geometry: feature.geometry, properties: feature.properties })));
}

/** The shape for the map, in plain numbers; null while it cannot be drawn. */
export function featureOf(shape: Shape, extra: Record<string, unknown> = {}): Feature {
  const properties: Record<string, unknown> = { ...extra };
  const size = shape.kind === "area" ? null : numberText(shape.size);
  if (size !== null && shape.kind !== "area") {
    const nm = shape.unit === "nm" ? Number(size) : Number(size) / 1852;
    properties[`${sizeName(shape)}_nm`] = nm;
  }
  if (shape.kind === "moving") properties.times = shape.times;
  return { type: "Feature", geometry: JSON.parse(writeExact(geometryOf(shape))) as Feature["geometry"], properties };
}

/** A shape after its points were moved on the map: a size that was not touched stays as it was typed. */
export function movedShape(before: Shape, feature: Feature): Shape | null {
  const after = shapeFromFeature(feature);
  if (!after || after.kind === "area" || before.kind !== after.kind) return after;
  const name = `${sizeName(after)}_nm`;
  const same = featureOf(before).properties[name] === feature.properties[name];
  return same ? { ...after, size: before.size, unit: before.unit } : after;
}

/** The shape as a question about an area takes it: the size exactly as typed. */
export function areaOf(shape: Still): Json {
  const size = shape.kind === "area" ? null : numberText(shape.size);
  return { type: "Feature", geometry: geometryOf(shape), properties: ownProperties(shape, size ?? "0") };
}

/** All that somebody who moves passes, as an area that stays: what can be asked about as a whole. */
export function sweptBy({ points, size, unit }: Extract<Shape, { kind: "moving" }>): Still {
  // whoever waits is at one position for two of the times
  const passed = points.filter((at, i) => i === 0 || at[0] !== points[i - 1]![0] || at[1] !== points[i - 1]![1]);
  return passed.length === 1 ? { kind: "circle", at: passed[0]!, size, unit } : { kind: "corridor", points: passed, size, unit };
}

/** The positions of a shape in the order in which they were given; a closed ring's last one is its first and left out. */
export function positionsOf(shape: Shape): Position[] {
  if (shape.kind === "circle") return [shape.at];
  if (shape.kind === "corridor" || shape.kind === "moving") return shape.points;
  return shape.polygons.flatMap((rings) => rings.flatMap((ring) => ring.slice(0, -1)));
}

/** Whether the positions as text say all of the shape: no holes, and one area only. */
export function isPlain(shape: Shape): boolean {
  return shape.kind !== "area" || (shape.polygons.length === 1 && shape.polygons[0]!.length === 1);
}

/**
 * The shape as text that the node reads back: positions a line each, latitude first, every digit kept, then the size. Times have no
 * such form, so one that moves is GeoJSON.
 */
export function textOf(shape: Shape): string {
  if (shape.kind === "moving") {
    const size = numberText(shape.size);
    const properties: Members = size === null ? { times: shape.times } : ownProperties(shape, size);
    return writeExact({ type: "Feature", properties, geometry: geometryOf(shape) }).replace(/\[(?=["[])|(?<=["\]]),(?=["[][-\d[])/g, "$&\n");
  }
  const lines = positionsOf(shape).map(([lon, lat]) => `${lat}, ${lon}`);
  const size = shape.kind === "area" ? null : numberText(shape.size);
  if (size !== null && shape.kind !== "area") {
    lines.push(`${shape.kind === "circle" ? "radius" : "half-width"} ${size} ${shape.unit === "nm" ? "NM" : "m"}`);
  }
  return lines.join("\n");
}

/**
 * A draft that amends a notice, from the node's answer about it, as text.
 *
 * @returns null when the node no longer holds its content
 */
export function draftFromNotice(answer: string): NoticeDraft | null {
  const detail = members(readExact(answer));
  const features = list(members(detail.geojson).features);
  if (!features.length) return null;
  const first = members(members(features[0]).properties);
  const to = list(detail.to).map(word);
  return {
    v: 1,
    id: word(first.id),
    exercise: first.exercise === true,
    activity: word(first.activity),
    precedence: word(first.precedence),
    region: word(first.region),
    text: word(first.text),
    to,
    pieces: features.map((feature) => {
      const properties = members(members(feature).properties);
      return {
        key: newKey(),
        shape: shapeFrom(feature),
        edges: word(properties.edges) || "planar",
        lower: edgeFrom(properties.lower),
        upper: edgeFrom(properties.upper),
        start: fieldTime(word(properties.start)),
        end: fieldTime(word(properties.end)),
      };
    }),
    amends: { id: word(detail.id), version: Number(digits(detail.version)), to },
    unsure: null,
  };
}

/** The GeoJSON inside the node's answer about a notice, as the node would write it alone. */
export function geojsonIn(answer: string): string | null {
  const { geojson } = members(readExact(answer));
  return geojson === null || geojson === undefined ? null : writeExact(geojson);
}

const METRES_PER_NM = 1852;
const TENTH_MM_PER_UNIT: Record<string, number> = { ft: 3048, m: 10_000, FL: 304_800 };

/** A document with its numbers as the node keeps them: 1e-9 degree and 0.1 mm; members in one order. */
function normal(value: Json): unknown {
  const collection = members(value);
  return list(collection.features).map((feature) => {
    const { geometry, properties } = members(feature);
    const { coordinates, type } = members(geometry);
    const given = members(properties);
    const deep = (part: Json | undefined): unknown => (Array.isArray(part) ? part.map(deep) : Math.round(Number(part) * 1e9));
    const edge = (part: Json | undefined): unknown => {
      const { value: number, unit, datum } = members(part);
      return [Math.round(Number(number) * (TENTH_MM_PER_UNIT[word(unit)] ?? 1)), unit, datum];
    };
    const metres = (name: string): number | null => {
      if (given[`${name}_m`]) return Math.round(Number(given[`${name}_m`]) * 10_000);
      if (given[`${name}_nm`]) return Math.round(Number(given[`${name}_nm`]) * METRES_PER_NM * 10_000);
      return null;
    };
    const words = ["id", "exercise", "activity", "precedence", "region", "text", "start", "end", "edges", "times"].map((name) => given[name] ?? null);
    return [type, deep(coordinates), words, edge(given.lower), edge(given.upper), metres("radius"), metres("half_width")];
  });
}

/** Whether two documents say the same notice, however their numbers are written. */
export function sameNotice(one: string, other: string): boolean {
  if (!isJson(one) || !isJson(other)) return false;
  return JSON.stringify(normal(readExact(one))) === JSON.stringify(normal(readExact(other)));
}

function isJson(text: string): boolean {
  try {
    readExact(text);
    return true;
  } catch {
    return false;
  }
}

/** The next free name after those in use: `A-12` after `A-11`; the series that has the most names goes on. */
export function suggestId(names: Iterable<string>): string {
  const series = new Map<string, { most: number; count: number; width: number }>();
  for (const name of names) {
    const match = /^(.*?)(\d{1,9})$/.exec(name);
    if (!match) continue;
    const found = series.get(match[1]!) ?? { most: -1, count: 0, width: 1 };
    const number = Number(match[2]);
    if (number > found.most) {
      found.most = number;
      found.width = match[2]!.startsWith("0") ? match[2]!.length : 1;
    }
    found.count += 1;
    series.set(match[1]!, found);
  }
  const [best] = [...series].sort((a, b) => b[1].count - a[1].count || b[1].most - a[1].most || (a[0] < b[0] ? -1 : 1));
  if (!best) return "A-1";
  return `${best[0]}${String(best[1].most + 1).padStart(best[1].width, "0")}`;
}

/** Which piece and field an error of the node is about: `features[2].properties.lower.value`. */
export function placeOfError(field: string | null): { piece: number | null; part: string } {
  const match = /^features\[(\d+)\]\.?(.*)$/.exec(field ?? "");
  const part = (match ? match[2]! : (field ?? "")).replace(/^properties\.?/, "").split(/[.[]/)[0]!;
  return { piece: match ? Number(match[1]) : null, part };
}

