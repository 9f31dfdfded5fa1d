/** A radius or half width as it was filed, in metres also as miles, because that is what is flown. */
import type { Shape } from "../filing/draft";

const METRES_PER_NM = 1852;

export function sizeText(shape: Exclude<Shape, { kind: "area" }>): string {
  if (shape.unit === "nm") return `${shape.size} NM`;
  const miles = Number(shape.size) / METRES_PER_NM;
  // the number of the notice first; the other is rounded, and says so
  const shown = miles.toFixed(2).replace(/\.?0+$/, "");
  return `${shape.size} m (${Number(shown) === miles ? "" : "≈ "}${shown} NM)`;
}
