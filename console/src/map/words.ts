/** What is written on the map and the strip about a shape. */
import { t } from "../i18n/index.svelte";
import { inert } from "../lib/inert";
import { zulu } from "../lib/time";
import { betweenWords } from "../views/notices/words";
import type { Shape } from "./shapes";

const ID_MOST = 40;

export function idOf(shape: Shape): string {
  return inert(shape.row.id, ID_MOST);
}

export function bandOf(shape: Shape): string {
  return betweenWords(shape.piece.lower.text, shape.piece.upper.text);
}

export function hoursOf(shape: Shape): string {
  return `${zulu(shape.start)} – ${zulu(shape.end, shape.start)}`;
}

/** A word for what an officer must not take for a notice delivered; empty for the rest. */
export function standing(shape: Shape): string {
  const { state } = shape.row;
  return state === "waiting" || state === "refused" || state === "cancelled" ? t(`map.${state}`) : "";
}

/** The lines of a label. */
export function labelOf(shape: Shape): string[] {
  const word = standing(shape);
  return [word ? `${idOf(shape)} (${word})` : idOf(shape), bandOf(shape), hoursOf(shape)];
}
