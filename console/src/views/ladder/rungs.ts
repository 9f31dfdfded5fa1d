/** The five rungs of a notice: which lamp each shows, and what may be said of it. The same whichever side looks. */
import type { Schemas } from "../../api/client";
import { i18n, t } from "../../i18n/index.svelte";
import { duration } from "../../lib/time";
import type { Notice } from "../../state/picture.svelte";
import { figures } from "../notices/words";

export type LadderRow = Schemas["LadderRow"];
export type RungRow = Schemas["RungRow"];
export type Rung = RungRow["rung"];
export type Unit = Schemas["Unit"];
export type Comparison = Schemas["Comparison"];

export const RUNGS: readonly Rung[] = ["delivered", "opened", "read-back", "disseminated", "acted"];
export const ACTIONS = ["noted", "kept-clear", "moved", "ceased", "cannot"] as const;

/** `open`: nothing said and no deadline; `none`: nothing is owed any more. */
export type Lamp = "done" | "late" | "differs" | "missing" | "due" | "open" | "none" | "refused";

/** From what needs a hand first to what needs none. */
const WORST: readonly Lamp[] = ["missing", "refused", "differs", "late", "due", "open", "none", "done"];

/**
 * The lamp of a rung.
 *
 * @param closed the notice is cancelled, has ended or has a newer version: what was not said is owed no more
 */
export function lampOf(rung: RungRow, closed: boolean): Lamp {
  if (rung.state === "due") return rung.due !== null ? "due" : closed ? "none" : "open";
  if (rung.note === "differs") return "differs";
  return rung.state;
}

/** Whether nothing more is owed for the newest version. */
export function isClosed(row: Pick<Notice, "state" | "end">, now: number): boolean {
  return row.state === "cancelled" || Date.parse(row.end) <= now;
}

/** The lamps of one ladder, or of several as one: of each rung the one that needs a hand first. */
export function lampsOf(ladders: readonly LadderRow[], closed: boolean): { rung: Rung; lamp: Lamp }[] {
  return RUNGS.map((rung, i) => {
    const lamps = ladders.flatMap((ladder) => (ladder.rungs[i] ? [lampOf(ladder.rungs[i], closed)] : []));
    return { rung, lamp: WORST.find((lamp) => lamps.includes(lamp)) ?? "none" };
  });
}

/** `Delivered: done, opened: missing, …` for whoever does not see the lamps. */
export function lampsWords(lamps: readonly { rung: Rung; lamp: Lamp }[]): string {
  return new Intl.ListFormat(i18n.language, { type: "unit", style: "long" }).format(
    lamps.map(({ rung, lamp }) => t("ladder.lamp", { rung: t(`ladder.rung-${rung}`), lamp: t(`ladder.lamp-${lamp}`) })),
  );
}

/** Who has been told and has not said that they know; null where nobody was told. */
export function silentUnits(units: readonly Unit[]): Unit[] | null {
  return units.length ? units.filter((unit) => !unit.acknowledged) : null;
}

/** `4,012 m`. */
export function metres(n: number): string {
  return figures(`${Math.abs(n).toLocaleString("en-US")} m`);
}

/** How long until a time, or since: minutes and seconds while it is near, because an officer waits for it. */
export function countdown(seconds: number): string {
  const s = Math.floor(Math.abs(seconds));
  if (s >= 3600) return duration(s);
  return figures(`${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`);
}

/** Where a read-back and its notice differ, line by line: place, size, times. */
export function differences(found: Comparison): { what: "place" | "radius" | "from" | "until"; words: string }[] {
  const time = (minutes: number): string =>
    minutes === 0 ? t("ladder.time-same") : t(minutes > 0 ? "ladder.time-later" : "ladder.time-earlier", { n: Math.abs(minutes) });
  const values = { place: metres(found.place_m), middle: metres(found.middle_m) };
  const lines: ReturnType<typeof differences> = [
    { what: "place", words: found.place_m === 0 ? t("ladder.place-inside", values) : t("ladder.place-outside", values) },
  ];
  if (found.radius_m !== null) {
    const words = found.radius_m === 0 ? t("ladder.radius-same") : t(found.radius_m > 0 ? "ladder.radius-more" : "ladder.radius-less", { radius: metres(found.radius_m) });
    lines.push({ what: "radius", words });
  }
  lines.push({ what: "from", words: time(found.from_min) }, { what: "until", words: time(found.until_min) });
  return lines;
}

/** The comparison that stands in a rung, if one was made. */
export function comparisonIn(rung: RungRow): Comparison | null {
  return rung.rung === "read-back" && "place_m" in rung.values ? (rung.values as unknown as Comparison) : null;
}

/** What was said here and is not signed yet, because the line is down. */
export function waitsUnsigned(rows: readonly { kind: string; party: string; values: unknown }[], rung: Rung, statement: string, party: string): boolean {
  const about = (row: { values: unknown }): boolean => (row.values as { about?: unknown }).about === statement;
  const said = rows.filter((row) => row.kind === "receipt-filed" && about(row) && (row.values as { said?: unknown }).said === `receipt/${rung}`);
  const signed = rows.filter((row) => row.kind === rung && row.party === party && about(row));
  return said.length > signed.length;
}
