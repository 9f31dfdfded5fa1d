/** What would clear a conflict, and what was proposed about it, in words. Nothing here knows whose side it is on. */
import { session } from "../../state/session.svelte";
import type { Schemas } from "../../api/client";
import { bearing } from "../../geo/position";
import { i18n, t } from "../../i18n/index.svelte";
import { duration } from "../../lib/time";
import { picture } from "../../state/picture.svelte";
import { isolate } from "../alarmWords";
import { figures } from "../notices/words";

export type Advice = Schemas["AdviceAnswer"];
export type Option = Schemas["OptionRow"];
export type Proposal = Schemas["ProposalRow"];
type Move = Schemas["Move"];

const US_PER_S = 1_000_000;
const TENTH_MM_PER_FT = 3048;
const TENTH_MM_PER_M = 10_000;
const TENTH_MM_PER_NM = 18_520_000;

/** What a height is, in the unit in which it is whole. */
export function heightWords(tenthMm: number): string {
  const size = Math.abs(tenthMm);
  if (size % TENTH_MM_PER_FT === 0) return figures(`${(size / TENTH_MM_PER_FT).toLocaleString("en")} ft`);
  return figures(`${(size / TENTH_MM_PER_M).toLocaleString("en")} m`);
}

/**
 * What one notice would do: a sentence for each thing that changes.
 *
 * @param form `-only` where the notice is named above it.
 */
export function moveWords(move: Move, form: "" | "-only" = ""): string {
  const id = isolate(move.notice);
  const said: string[] = [];
  const later = move.later_us ?? 0;
  const higher = move.higher_tenth_mm ?? 0;
  if (later) said.push(t(`advice.${later > 0 ? "later" : "earlier"}${form}`, { id, time: figures(duration(Math.abs(later) / US_PER_S)) }));
  if (higher) said.push(t(`advice.${higher > 0 ? "higher" : "lower"}${form}`, { id, height: heightWords(higher) }));
  const aside = move.aside_tenth_mm ?? 0;
  if (aside) {
    const distance = figures(`${(aside / TENTH_MM_PER_NM).toLocaleString("en")} NM`);
    said.push(t(`advice.aside${form}`, { id, distance, bearing: figures(bearing((move.bearing_tenth_deg ?? 0) / 10)) }));
  }
  return listed(said);
}

export function movesWords(moves: readonly Move[]): string {
  return listed(ownFirst(moves).map((move) => moveWords(move)));
}

/** Our own first, so that each side reads it as the other does. */
export function ownFirst(moves: readonly Move[]): Move[] {
  const own = `${session.who?.party ?? ""}:`;
  const side = (move: Move): number => (move.notice.startsWith(own) ? 0 : 1);
  return moves.toSorted((a, b) => side(a) - side(b));
}

/** Who would move: ours, theirs, or both. */
export type Mover = "own" | "peer" | "both";
export const MOVERS: readonly Mover[] = ["own", "peer", "both"];

export function moverOf(option: Option, own: string): Mover {
  if (option.moves.length > 1) return "both";
  return option.moves[0]?.notice.startsWith(`${own}:`) ? "own" : "peer";
}

/** Ours before the peer's, then both: each side reads the list as the other reads its own. */
export function mirrored(options: readonly Option[], own: string): Option[] {
  const rank = (key: string): number => (key.startsWith("both/") ? (key.startsWith(`both/${own}-`) ? 2 : 3) : key.startsWith(`${own}/`) ? 0 : 1);
  return options.toSorted((a, b) => rank(a.key) - rank(b.key));
}

export type Axis = "time" | "height" | "aside";

/** What a change of one thing changes, and how much; null for a change of more than one. */
function amountOf(option: Option): [Axis, number] | null {
  const [move] = option.moves;
  if (!move || option.moves.length > 1) return null;
  const amounts: [Axis, number][] = [
    ["time", Math.abs(move.later_us ?? 0)],
    ["height", Math.abs(move.higher_tenth_mm ?? 0)],
    ["aside", move.aside_tenth_mm ?? 0],
  ];
  const changed = amounts.filter(([, amount]) => amount > 0);
  return changed.length === 1 ? changed[0]! : null;
}

/**
 * The smallest change of one notice alone in time, in height and sideways, by the option's key. Where ours and theirs are as small as
 * each other, neither is the smallest, and nothing is said.
 */
export function leastOf(options: readonly Option[]): ReadonlyMap<string, Axis> {
  const best = new Map<Axis, { key: string; amount: number; alone: boolean }>();
  for (const option of options) {
    const found = amountOf(option);
    if (!found) continue;
    const [axis, amount] = found;
    const before = best.get(axis);
    if (!before || amount < before.amount) best.set(axis, { key: option.key, amount, alone: true });
    else if (amount === before.amount) before.alone = false;
  }
  return new Map([...best].filter(([, one]) => one.alone).map(([axis, one]) => [one.key, axis]));
}

/** What is isolated already, one after the other. */
function listed(said: readonly string[]): string {
  return new Intl.ListFormat(i18n.language, { type: "conjunction" }).format(said);
}

/** What became of a proposal, and whose turn it is. */
export function stateWords(row: Proposal): string {
  const values = { party: isolate(picture.nameOf(row.party)), to: isolate(picture.nameOf(row.to)) };
  return t(`advice.state-${row.state}`, values);
}

/** A proposal that somebody has still to answer or to do. */
export function isOpen(row: Proposal): boolean {
  return row.ours_to_answer || row.ours_to_keep !== null || row.state === "proposed" || row.state === "accepted" || row.state === "not-kept";
}

/** Open ones first, the newest first among equals. */
export function ordered(rows: readonly Proposal[]): Proposal[] {
  return rows.toReversed().toSorted((a, b) => Number(isOpen(b)) - Number(isOpen(a)));
}
