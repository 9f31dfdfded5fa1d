/** The question "was there prior notice?": as an address, and its answer as one sentence. */
import type { Schemas } from "../../api/client";
import { isNumber } from "../filing/exact";
import { positionsOf, type Position, type SizeUnit, type Still } from "../filing/draft";

export type Answer = Schemas["PriorNotices"];
export type Row = Schemas["PriorNotice"];

export interface Question {
  shape: Still;
  from: string; // RFC 3339 in Z
  until: string;
  by: string | null; // a party, or null for any
}

const LONGEST = 1200; // characters of an address that people still paste into a message whole

/** A shape in few characters: `circle:35.5,35.8:5nm`, `line:1,2;3,4:900m`, `area:1,2;3,4;5,6`; latitude first; null when too long. */
export function writeShape(shape: Still): string | null {
  if (shape.kind === "area" && (shape.polygons.length !== 1 || shape.polygons[0]!.length !== 1)) return null;
  const points = positionsOf(shape)
    .map(([lon, lat]) => `${lat},${lon}`)
    .join(";");
  const name = shape.kind === "corridor" ? "line" : shape.kind;
  const text = `${name}:${points}${shape.kind === "area" ? "" : `:${shape.size}${shape.unit}`}`;
  return text.length <= LONGEST ? text : null;
}

/** The shape that `writeShape` wrote; null for anything else, because an address may be typed or cut. */
export function readShape(text: string): Still | null {
  const [name, list = "", size = ""] = text.split(":");
  if (text.length > LONGEST) return null;
  const points: Position[] = [];
  for (const pair of list.split(";")) {
    const [lat = "", lon = "", more] = pair.split(",");
    if (more !== undefined || !isNumber(lat) || !isNumber(lon) || Math.abs(Number(lat)) > 90 || Math.abs(Number(lon)) > 180) return null;
    points.push([lon, lat]);
  }
  if (name === "area") return points.length >= 3 && !size ? { kind: "area", polygons: [[[...points, points[0]!]]] } : null;
  const length = /^(\d+(?:\.\d+)?)(nm|m)$/.exec(size);
  if (!length) return null;
  const sized = { size: length[1]!, unit: length[2] as SizeUnit };
  if (name === "circle" && points.length === 1) return { kind: "circle", at: points[0]!, ...sized };
  if (name === "line" && points.length >= 2) return { kind: "corridor", points, ...sized };
  return null;
}

/** A question as the parameters of an address; an area that is too long is left out. */
export function addressOf(question: Question): Record<string, string> {
  const area = writeShape(question.shape);
  const { from, until, by } = question;
  return { ...(area ? { area } : {}), from, until, ...(by ? { by } : {}) };
}

export type Verdict = "yes" | "yes-once" | "no" | "cannot";

/**
 * What the record says in one word.
 *
 * `yes`: a notice that still stands. `yes-once`: only such as were later replaced or cancelled. `no`: none, and the record is
 * complete up to the end of what was asked. `cannot`: none so far, and more may still come.
 */
export function verdictOf(answer: Answer, until: string): Verdict {
  if (answer.notices.some((row) => row.state === "live")) return "yes";
  if (answer.notices.length) return "yes-once";
  return isComplete(answer, until) ? "no" : "cannot";
}

/** Whether everything that was sent for that time is surely in this record. */
export function isComplete(answer: Answer, until: string): boolean {
  return answer.complete_until !== null && Date.parse(answer.complete_until) >= Date.parse(until);
}

/** How many notices, not versions, the answer is about: those that stand, and those of which nothing stands any more. */
export function countNotices(answer: Answer): { live: number; once: number } {
  const all = new Set(answer.notices.map((row) => row.id));
  const live = new Set(answer.notices.filter((row) => row.state === "live").map((row) => row.id));
  return { live: live.size, once: all.size - live.size };
}

/** The sentences of an answer, by their words and the number in them; the first is the answer itself. */
export function sentencesOf(answer: Answer, until: string): { key: string; n: number }[] {
  const verdict = verdictOf(answer, until);
  const { live, once } = countNotices(answer);
  const said: { key: string; n: number }[] = [{ key: verdict, n: verdict === "yes-once" ? once : live }];
  if (verdict === "yes" && once) said.push({ key: "also-once", n: once });
  if (verdict !== "cannot" && !isComplete(answer, until)) said.push({ key: "more-may-come", n: 0 });
  return said;
}
