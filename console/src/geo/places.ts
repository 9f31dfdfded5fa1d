/** Towns and airports, fetched when first asked for: a megabyte that a desk without the map never needs. */
import { legBetween } from "./geodesic";
import address from "./places.json?url";

/** `people` in thousands; `A` and `a` are a large and a medium airport. */
export interface PlaceName {
  name: string;
  lat: number;
  lon: number;
  kind: number | "A" | "a";
}

export interface Nearest {
  name: string;
  distance_m: number;
  /** From the place to the position, true: "12 NM, 045° from Latakia". */
  bearing_deg: number;
}

type Row = [string, number, number, number | "A" | "a"];

let asked: Promise<readonly PlaceName[]> | null = null;

/** All places: large airports, medium ones, then towns from the most people to the fewest. */
export function loadPlaces(): Promise<readonly PlaceName[]> {
  asked ??= fetch(address)
    .then((answer) => (answer.ok ? (answer.json() as Promise<Row[]>) : Promise.reject(new Error(`places: ${answer.status}`))))
    .then((rows) => rows.map(([name, lat, lon, kind]) => ({ name, lat, lon, kind })));
  asked.catch(() => (asked = null)); // asked again the next time
  return asked;
}

/** The place nearest to a position, on the earth and not on the map; null where there are none. */
export function nearestOf(places: readonly PlaceName[], lat: number, lon: number): Nearest | null {
  const rad = Math.PI / 180;
  const level = Math.cos(lat * rad);
  let found: PlaceName | null = null;
  let least = Infinity;
  for (const place of places) {
    const north = Math.sin(((place.lat - lat) * rad) / 2);
    if (north * north >= least) continue;
    const east = Math.sin(((place.lon - lon) * rad) / 2);
    const chord = north * north + level * Math.cos(place.lat * rad) * east * east;
    if (chord < least) [least, found] = [chord, place];
  }
  return found && { name: found.name, ...legBetween([found.lon, found.lat], [lon, lat]) };
}
