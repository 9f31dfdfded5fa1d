/**
 * A small map for paper, without a map beneath it: outlines, a graticule, a scale and north. Longitudes shrink with the cosine of the
 * middle latitude, which is right enough for one activity's area; what counts is printed as positions beside it.
 */

export type Ring = readonly (readonly number[])[]; // [longitude, latitude] in degrees

export type Drawn =
  | { kind: "area"; side: Side; polygons: readonly (readonly Ring[])[] }
  | { kind: "circle"; side: Side; at: readonly [number, number]; radiusNm: number }
  | { kind: "corridor"; side: Side; points: Ring; halfWidthNm: number };
export type Side = "first" | "second" | "asked";

export interface Path {
  side: Side;
  d: string;
  width: number | null; // of a corridor's stroke, in units of the drawing
}

export interface Mark {
  x: number;
  y: number;
  text: string;
}

export interface Layout {
  paths: Path[];
  lines: string; // of the graticule
  west: Mark[]; // latitudes, at the left edge
  south: Mark[]; // longitudes, at the lower edge
  scale: { length: number; text: string }; // NM
  place: { x: number; y: number } | null;
}

const NM_PER_DEGREE = 60;
const LEAST_SPAN_NM = 4;
const MARGIN = 0.08;
const STEPS_MIN = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800];
const SCALES_NM = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/** A longitude as near to `beside` as turns of 360 degrees bring it, so that nothing is torn at 180. */
export function near(lon: number, beside: number): number {
  return lon - 360 * Math.round((lon - beside) / 360);
}

function degrees(value: number, letters: string): string {
  const minutes = Math.round(Math.abs(value) * 60 * 10) / 10;
  const whole = Math.floor(minutes / 60);
  const rest = minutes - whole * 60;
  const text = Number.isInteger(rest) ? String(rest).padStart(2, "0") : rest.toFixed(1).padStart(4, "0");
  return `${whole}°${text}′${minutes === 0 ? "" : value < 0 ? letters[1] : letters[0]}`;
}

/** The drawing in a box of `width` by `height`; null when there is nothing to draw. */
export function layOut(shapes: readonly Drawn[], width: number, height: number, place: { lat: number; lon: number } | null = null): Layout | null {
  const points: [number, number, number][] = []; // with a reach in NM
  for (const shape of shapes) {
    if (shape.kind === "area") for (const rings of shape.polygons) for (const ring of rings) for (const [lon = 0, lat = 0] of ring) points.push([lon, lat, 0]);
    if (shape.kind === "circle") points.push([shape.at[0], shape.at[1], shape.radiusNm]);
    if (shape.kind === "corridor") for (const [lon = 0, lat = 0] of shape.points) points.push([lon, lat, shape.halfWidthNm]);
  }
  if (!points.length) return null;
  const beside = points[0]![0];
  let [south, north] = [90, -90];
  for (const [, lat, reach] of points) {
    south = Math.min(south, lat - reach / NM_PER_DEGREE);
    north = Math.max(north, lat + reach / NM_PER_DEGREE);
  }
  const middle = Math.max(-85, Math.min(85, (south + north) / 2));
  const shrink = Math.cos((middle * Math.PI) / 180);
  let [west, east] = [Infinity, -Infinity];
  for (const [lon, , reach] of points) {
    const turned = near(lon, beside);
    west = Math.min(west, turned - reach / NM_PER_DEGREE / shrink);
    east = Math.max(east, turned + reach / NM_PER_DEGREE / shrink);
  }
  const wide = Math.max((east - west) * shrink, LEAST_SPAN_NM / NM_PER_DEGREE);
  const high = Math.max(north - south, LEAST_SPAN_NM / NM_PER_DEGREE);
  const perDegree = Math.min((width * (1 - 2 * MARGIN)) / wide, (height * (1 - 2 * MARGIN)) / high);
  const center = [(west + east) / 2, (south + north) / 2] as const;
  const x = (lon: number): number => round(width / 2 + (near(lon, center[0]) - center[0]) * shrink * perDegree);
  const y = (lat: number): number => round(height / 2 - (lat - center[1]) * perDegree);
  const trace = (ring: Ring, close: boolean): string =>
    ring.map(([lon = 0, lat = 0], i) => `${i ? "L" : "M"}${x(lon)} ${y(lat)}`).join("") + (close ? "Z" : "");
  const perNm = perDegree / NM_PER_DEGREE;

  const paths = shapes.map((shape): Path => {
    if (shape.kind === "circle") {
      const r = round(Math.max(shape.radiusNm * perNm, 0.5));
      const [cx, cy] = [x(shape.at[0]), y(shape.at[1])];
      return { side: shape.side, d: `M${cx - r} ${cy}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`, width: null };
    }
    if (shape.kind === "corridor") return { side: shape.side, d: trace(shape.points, false), width: round(2 * shape.halfWidthNm * perNm) };
    return { side: shape.side, d: shape.polygons.map((rings) => rings.map((ring) => trace(ring, true)).join("")).join(""), width: null };
  });

  const box = {
    west: center[0] - width / 2 / perDegree / shrink,
    east: center[0] + width / 2 / perDegree / shrink,
    south: Math.max(-90, center[1] - height / 2 / perDegree),
    north: Math.min(90, center[1] + height / 2 / perDegree),
  };
  const meridians = multiples(box.west, box.east, 5);
  const parallels = multiples(box.south, box.north, 4);
  const lines = [
    ...meridians.map((lon) => `M${round(width / 2 + (lon - center[0]) * shrink * perDegree)} 0V${height}`),
    ...parallels.map((lat) => `M0 ${y(lat)}H${width}`),
  ].join("");
  const scale = SCALES_NM.filter((nm) => nm * perNm <= width / 3).at(-1) ?? SCALES_NM[0]!;
  return {
    paths,
    lines,
    west: parallels.map((lat) => ({ x: 0, y: y(lat), text: degrees(lat, "NS") })),
    south: meridians.map((lon) => ({ x: round(width / 2 + (lon - center[0]) * shrink * perDegree), y: height, text: degrees(near(lon, 0), "EW") })),
    scale: { length: round(scale * perNm), text: `${scale} NM` },
    place: place ? { x: x(place.lon), y: y(place.lat) } : null,
  };
}

/** Round values between two, at most about `most` of them. */
function multiples(from: number, to: number, most: number): number[] {
  const step = (STEPS_MIN.find((minutes) => ((to - from) * 60) / minutes <= most) ?? STEPS_MIN.at(-1)!) / 60;
  const found: number[] = [];
  for (let n = Math.ceil(from / step); n * step <= to && found.length < 20; n++) found.push(n * step);
  return found;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
