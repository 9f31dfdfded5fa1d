/** Distances and directions on the WGS84 ellipsoid. Positions are [longitude, latitude] in degrees, as in GeoJSON. */

export type LonLat = readonly [number, number];

export interface Leg {
  distance_m: number;
  /** True bearing at the start, 0 to 360. */
  bearing_deg: number;
}

const AXIS_M = 6_378_137;
const FLATTENING = 1 / 298.257223563;
const MINOR_M = AXIS_M * (1 - FLATTENING);
const CLOSE = 1e-12; // radians: far below a millimetre
const MOST_TURNS = 200;
const QUARTER_M = 10_001_966; // a quarter of a meridian
export const METRES_PER_NM = 1852;

const radians = (degrees: number): number => (degrees * Math.PI) / 180;
const degrees = (radians: number): number => (radians * 180) / Math.PI;
const round360 = (angle: number): number => ((angle % 360) + 360) % 360;

/** The same meridian between -180 (left out) and 180. */
export function wrap(lon: number): number {
  return lon > 180 || lon <= -180 ? 180 - round360(180 - lon) : lon;
}

function series(cos2Alpha: number): { a: number; b: number; c: number } {
  const u2 = (cos2Alpha * (AXIS_M ** 2 - MINOR_M ** 2)) / MINOR_M ** 2;
  return {
    a: 1 + (u2 / 16384) * (4096 + u2 * (-768 + u2 * (320 - 175 * u2))),
    b: (u2 / 1024) * (256 + u2 * (-128 + u2 * (74 - 47 * u2))),
    c: (FLATTENING / 16) * cos2Alpha * (4 + FLATTENING * (4 - 3 * cos2Alpha)),
  };
}

const bent = (b: number, sinS: number, cosS: number, cos2m: number): number =>
  b * sinS * (cos2m + (b / 4) * (cosS * (2 * cos2m ** 2 - 1) - (b / 6) * cos2m * (4 * sinS ** 2 - 3) * (4 * cos2m ** 2 - 3)));

/** The inverse formula; null where it does not come to rest (places nearly opposite each other). */
function vincenty(from: LonLat, to: LonLat): Leg | null {
  const u1 = Math.atan((1 - FLATTENING) * Math.tan(radians(from[1])));
  const u2 = Math.atan((1 - FLATTENING) * Math.tan(radians(to[1])));
  const [sinU1, cosU1, sinU2, cosU2] = [Math.sin(u1), Math.cos(u1), Math.sin(u2), Math.cos(u2)];
  const lon = radians(wrap(to[0] - from[0]));
  let lambda = lon;
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const [sinL, cosL] = [Math.sin(lambda), Math.cos(lambda)];
    const sinS = Math.hypot(cosU2 * sinL, cosU1 * sinU2 - sinU1 * cosU2 * cosL);
    const cosS = sinU1 * sinU2 + cosU1 * cosU2 * cosL;
    if (sinS === 0) return cosS > 0 ? { distance_m: 0, bearing_deg: 0 } : null;
    const sigma = Math.atan2(sinS, cosS);
    const sinAlpha = (cosU1 * cosU2 * sinL) / sinS;
    const cos2Alpha = 1 - sinAlpha ** 2;
    const cos2m = cos2Alpha < CLOSE ? 0 : cosS - (2 * sinU1 * sinU2) / cos2Alpha; // 0: along the equator
    const { a, b, c } = series(cos2Alpha);
    const next = lon + (1 - c) * FLATTENING * sinAlpha * (sigma + c * sinS * (cos2m + c * cosS * (2 * cos2m ** 2 - 1)));
    if (Math.abs(next) > Math.PI) return null;
    if (Math.abs(next - lambda) < CLOSE) {
      const bearing = Math.atan2(cosU2 * Math.sin(next), cosU1 * sinU2 - sinU1 * cosU2 * Math.cos(next));
      return { distance_m: MINOR_M * a * (sigma - bent(b, sinS, cosS, cos2m)), bearing_deg: round360(degrees(bearing)) };
    }
    lambda = next;
  }
  return null;
}

/**
 * The shortest way between two places.
 *
 * Units: within a millimetre; between places nearly opposite each other within a metre, where the bearing hardly means anything.
 * Source: T. Vincenty, Survey Review 23 (1975), inverse formula, on WGS84. Where that does not come to rest, the way is
 * the shortest of those over a point a quarter of the earth away, which is found by search.
 */
export function legBetween(from: LonLat, to: LonLat): Leg {
  const direct = vincenty(from, to);
  if (direct) return direct;
  const over = (bearing: number): number => {
    const middle = travel(from, bearing, QUARTER_M);
    return QUARTER_M + (vincenty(middle, to)?.distance_m ?? QUARTER_M);
  };
  let best = 0;
  for (let bearing = 1; bearing < 360; bearing++) if (over(bearing) < over(best)) best = bearing;
  let [low, high] = [best - 1, best + 1];
  while (high - low > 1e-7) {
    const third = (high - low) / 3;
    if (over(low + third) < over(high - third)) high -= third;
    else low += third;
  }
  const bearing_deg = round360((low + high) / 2);
  return { distance_m: over(bearing_deg), bearing_deg };
}

/**
 * Where one comes to, going straight on.
 *
 * Units: within a millimetre. The longitude is -180 to 180.
 * Source: T. Vincenty, Survey Review 23 (1975), direct formula, on WGS84.
 */
export function travel(from: LonLat, bearing_deg: number, distance_m: number): [number, number] {
  const azimuth = radians(bearing_deg);
  const u = Math.atan((1 - FLATTENING) * Math.tan(radians(from[1])));
  const [sinA, cosA, sinU, cosU] = [Math.sin(azimuth), Math.cos(azimuth), Math.sin(u), Math.cos(u)];
  const sigma1 = Math.atan2(sinU, cosU * cosA);
  const sinAlpha = cosU * sinA;
  const { a, b, c } = series(1 - sinAlpha ** 2);
  const first = distance_m / (MINOR_M * a);
  let sigma = first;
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const next = first + bent(b, Math.sin(sigma), Math.cos(sigma), Math.cos(2 * sigma1 + sigma));
    const done = Math.abs(next - sigma) < CLOSE;
    sigma = next;
    if (done) break;
  }
  const [cos2m, sinS, cosS] = [Math.cos(2 * sigma1 + sigma), Math.sin(sigma), Math.cos(sigma)];
  const lat = Math.atan2(sinU * cosS + cosU * sinS * cosA, (1 - FLATTENING) * Math.hypot(sinAlpha, sinU * sinS - cosU * cosS * cosA));
  const over = Math.atan2(sinS * sinA, cosU * cosS - sinU * sinS * cosA);
  const lon = over - (1 - c) * FLATTENING * sinAlpha * (sigma + c * sinS * (cos2m + c * cosS * (2 * cos2m ** 2 - 1)));
  return [wrap(from[0] + degrees(lon)), degrees(lat)];
}
