/**
 * Why two notices would meet, in the officer's language. The engine writes one English sentence of fixed form into the record, the same
 * on both sides (docs/spec/airspace-model.md); its figures are read back out of it here. A sentence of another form, from an engine newer
 * than this console, gives `other` and is shown as it stands.
 */
import { t } from "../../i18n/index.svelte";
import { duration } from "../../lib/time";
import { figures } from "../notices/words";

export interface Gap {
  is: number;
  least: number; // what was agreed
}

export type Reason =
  | { code: "overlap" }
  | { code: "closer"; lateral_nm: Gap | null; vertical_ft: Gap | null; time_s: Gap | null }
  | { code: "datums"; datums: string[]; from_ft: number; to_ft: number; least_ft: number }
  | { code: "intricate" }
  | { code: "other" };

const NUMBER = "(-?[\\d,]+(?:\\.\\d+)?)";
const LASTING = "((?:-?\\d+ (?:d|h|min|s) ?)+)";
const LATERAL = new RegExp(`${NUMBER} NM apart laterally \\(minimum ${NUMBER} NM\\)`);
const VERTICAL = new RegExp(`${NUMBER} ft apart vertically \\(minimum ${NUMBER} ft\\)`);
const TIME = new RegExp(`${LASTING} ?apart in time \\(minimum ${LASTING}\\)`);
const DATUMS = new RegExp(
  `^altitude datums differ: ([A-Z0-9, ]+?(?: against [A-Z0-9]+)?); the vertical gap may be anything from ${NUMBER} ft to ${NUMBER} ft \\(minimum ${NUMBER} ft`,
);

const number = (text: string): number => Number(text.replaceAll(",", ""));
const SECONDS: Record<string, number> = { d: 86_400, h: 3600, min: 60, s: 1 };

function lasting(text: string): number {
  let seconds = 0;
  for (const [, value, unit] of text.matchAll(/(\d+) (d|h|min|s)/g)) seconds += Number(value) * SECONDS[unit!]!;
  return seconds;
}

function gap(found: RegExpExecArray | null, read: (text: string) => number): Gap | null {
  return found ? { is: read(found[1]!), least: read(found[2]!) } : null;
}

export function readReason(text: string): Reason {
  if (text.startsWith("volumes overlap from ")) return { code: "overlap" };
  if (text.startsWith("the two notices are too intricate")) return { code: "intricate" };
  if (text.startsWith("closer than agreed: ")) {
    const found = { lateral_nm: gap(LATERAL.exec(text), number), vertical_ft: gap(VERTICAL.exec(text), number), time_s: gap(TIME.exec(text), lasting) };
    if (found.lateral_nm ?? found.vertical_ft ?? found.time_s) return { code: "closer", ...found };
  }
  const datums = DATUMS.exec(text);
  if (datums) {
    return {
      code: "datums",
      datums: datums[1]!.split(/, | against /),
      from_ft: number(datums[2]!),
      to_ft: number(datums[3]!),
      least_ft: number(datums[4]!),
    };
  }
  return { code: "other" };
}

const feet = (value: number): string => figures(`${value.toLocaleString("en").replace("-", "−")} ft`);
const miles = (value: number): string => figures(`${value.toFixed(2)} NM`);
// to the second below an hour: a gap that is rounded down could read as the minimum kept
const time = (value: number): string =>
  figures(value > 60 && value < 3600 && value % 60 ? `${duration(value - (value % 60))} ${duration(value % 60)}` : duration(value));

/** Sentences that say why; empty when only the engine's own words can. */
export function reasonSentences(reason: Reason): string[] {
  if (reason.code === "other") return [];
  if (reason.code === "closer") {
    const said = [t("lists.reason-closer")];
    if (reason.lateral_nm) said.push(t("lists.reason-lateral", { is: miles(reason.lateral_nm.is), least: miles(reason.lateral_nm.least) }));
    if (reason.vertical_ft) said.push(t("lists.reason-vertical", { is: feet(reason.vertical_ft.is), least: feet(reason.vertical_ft.least) }));
    if (reason.time_s) said.push(t("lists.reason-time", { is: time(reason.time_s.is), least: time(reason.time_s.least) }));
    return said;
  }
  if (reason.code === "datums") {
    return [
      t("lists.reason-datums", { datums: figures(reason.datums.join(", ")) }),
      t("lists.reason-datums-gap", { from: feet(reason.from_ft), to: feet(reason.to_ft), least: feet(reason.least_ft) }),
    ];
  }
  return [t(`lists.reason-${reason.code}`)];
}
