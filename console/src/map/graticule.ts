/** Meridians and parallels: how far apart, where, and what is written on them. */

const STEPS_MIN = [1800, 1200, 600, 300, 120, 60, 30, 20, 10, 5, 2, 1]; // minutes of arc
const LEAST_PX = 96;

/** The step in minutes of arc that leaves room between lines; `degreePx` is a degree of longitude on the screen. */
export function stepFor(degreePx: number): number {
  let best = STEPS_MIN[0]!;
  for (const step of STEPS_MIN) if ((step / 60) * degreePx >= LEAST_PX) best = step;
  return best;
}

/** Whole multiples of the step between two angles, in minutes of arc. */
export function linesBetween(from_deg: number, to_deg: number, step_min: number): number[] {
  const found = [];
  for (let at = Math.ceil((from_deg * 60) / step_min) * step_min; at <= to_deg * 60; at += step_min) found.push(at);
  return found;
}

/** `35°N`, `35°30′N`, `180°`; longitudes beyond the antimeridian are written on this side of it. */
export function lineLabel(minutes: number, letters: "NS" | "EW"): string {
  const turned = letters === "EW" ? ((((minutes + 10_800) % 21_600) + 21_600) % 21_600) - 10_800 : minutes;
  const whole = Math.abs(turned);
  const letter = whole === 0 || (letters === "EW" && whole === 10_800) ? "" : letters[turned < 0 ? 1 : 0];
  const rest = whole % 60;
  return `${Math.floor(whole / 60)}°${rest ? `${String(rest).padStart(2, "0")}′` : ""}${letter}`;
}
