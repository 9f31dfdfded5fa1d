// Reads a map of the world away from the page's thread: the finest is megabytes of arcs.
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import { boxOf, MOST_LAT, projected } from "./mercator";
import type { Part } from "./world";

type Atlas = Topology<{ countries: GeometryCollection; land: GeometryCollection }>;

// a failure is a message too: what an async listener throws never reaches the page's onerror
onmessage = (event: MessageEvent<string>) => {
  read(event.data).catch(() => postMessage(null));
};

async function read(address: string): Promise<void> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`map of the world: ${answer.status}`);
  const atlas = (await answer.json()) as Atlas;
  const part = (lines: number[][][]): Part => {
    const rings = lines.map(straight);
    return { box: boxOf(rings[0]!), rings };
  };
  const land = feature(atlas, atlas.objects.land).features.flatMap(({ geometry }) => {
    if (geometry.type === "Polygon") return [part(geometry.coordinates)];
    return geometry.type === "MultiPolygon" ? geometry.coordinates.map(part) : [];
  });
  const borders = mesh(atlas, atlas.objects.countries as never, (a, b) => a !== b).coordinates.map((line) => part([line]));
  const buffers = [...land, ...borders].flatMap(({ rings }) => rings.map((ring) => ring.buffer));
  postMessage({ land, borders }, { transfer: buffers as ArrayBuffer[] });
}

/** A ring as it stands, or, where it steps over the antimeridian, without the jump. Along the south pole's edge it may jump. */
function straight(line: number[][]): Float64Array {
  const over = line.some(([lon = 0, lat = 0], i) => i > 0 && Math.abs(lon - line[i - 1]![0]!) > 180 && lat > -MOST_LAT);
  if (over) return projected(line);
  const flat = new Float64Array(line.length * 2);
  line.forEach((point, i) => flat.set(projected([point]), 2 * i));
  return flat;
}
