/** Paints the strip's boxes, marks and words. */
import type { Colours } from "./colours";
import { heightMarks, type Profile } from "./profile";
import { MOVED_DASH } from "./notices";
import { Room } from "./room";
import type { Context } from "./sheet";
import type { Phase } from "./shapes";
import type { TimeScale } from "./timeScale";
import { idOf } from "./words";
import { zulu } from "../lib/time";

const CHUNK = 300;
const LABEL_FROM_PX = 64;
const MOST_LABELS = 80;
export const AXIS_PX = 16; // beneath the boxes, for the hours

type Group = `${Phase} ${"own" | "peer"}`;

export function paintProfile(
  ctx: Context,
  profile: Profile,
  scale: TimeScale,
  height: number,
  colours: Colours,
  chosen: ReadonlySet<string>,
): void {
  const { width } = scale;
  ctx.clearRect(0, 0, width, height + AXIS_PX);
  ctx.fillStyle = colours.ground;
  ctx.fillRect(0, 0, width, height);
  ctx.strokeStyle = colours.edge;
  ctx.lineWidth = 1;
  ctx.setLineDash([]);
  ctx.beginPath();
  for (const ft of heightMarks(profile.top_ft, height)) {
    const y = Math.round(height - (ft / profile.top_ft) * height) - 0.5;
    ctx.moveTo(0, y);
    ctx.lineTo(width, y);
  }
  const marks = scale.marks();
  for (const { x } of marks) {
    ctx.moveTo(Math.round(x) + 0.5, 0);
    ctx.lineTo(Math.round(x) + 0.5, height + 3);
  }
  ctx.stroke();
  ctx.font = colours.figures;
  ctx.direction = "ltr";
  ctx.textBaseline = "top";
  ctx.fillStyle = colours["ink-quiet"];
  ctx.textAlign = "center";
  for (const { time, x, day } of marks) {
    const text = day ? zulu(time, time - 1) : zulu(time);
    const half = ctx.measureText(text).width / 2;
    if (x > half && x < width - half) ctx.fillText(text, x, height + 3);
  }

  const groups = new Map<Group, [number, number, number, number][]>();
  const drawn = new Set<string>(); // thousands at one hour and height are one box to the eye
  for (const bar of profile.bars) {
    const place = `${bar.phase}${bar.shape.own}${Math.round(bar.x)},${Math.round(bar.y)},${Math.round(bar.width)},${Math.round(bar.height)}`;
    if (drawn.has(place)) continue;
    drawn.add(place);
    const key: Group = `${bar.phase} ${bar.shape.own ? "own" : "peer"}`;
    const list = groups.get(key) ?? [];
    groups.set(key, list);
    list.push([bar.x, bar.y, bar.width, bar.height]);
  }
  for (const [key, bars] of groups) {
    const [phase, side] = key.split(" ") as [Phase, "own" | "peer"];
    ctx.strokeStyle = phase === "ended" ? colours.ended : colours[side];
    ctx.fillStyle = colours[`${side}-fill`];
    ctx.globalAlpha = phase === "planned" ? 0.75 : 1;
    ctx.lineWidth = phase === "active" ? 2 : 1;
    ctx.setLineDash(side === "peer" && bars.length < 2000 ? [5, 3] : []); // thousands side by side leave no dash to see
    for (let from = 0; from < bars.length; from += CHUNK) {
      ctx.beginPath();
      for (const [x, y, w, h] of bars.slice(from, from + CHUNK)) ctx.rect(x + 0.5, y + 0.5, w - 1, h - 1);
      if (phase !== "ended") ctx.fill();
      ctx.stroke();
    }
  }
  ctx.globalAlpha = 1;
  ctx.setLineDash([]);
  for (const meeting of profile.meetings) {
    ctx.save();
    ctx.strokeStyle = meeting.conflict.rank === 2 ? colours.caution : colours.warning;
    ctx.lineWidth = chosen.has(meeting.conflict.id) ? 3 : 1.5;
    ctx.beginPath();
    ctx.rect(meeting.x, meeting.y, meeting.width, meeting.height);
    ctx.stroke();
    ctx.clip();
    ctx.lineWidth = 1;
    ctx.beginPath();
    const reach = meeting.width + meeting.height;
    for (let d = 0; d < reach; d += Math.max(5, reach / 400)) {
      ctx.moveTo(meeting.x + d, meeting.y);
      ctx.lineTo(meeting.x + d - meeting.height, meeting.y + meeting.height);
    }
    ctx.stroke();
    ctx.restore();
  }

  for (const bar of profile.moved) {
    ctx.lineWidth = 2 + 3;
    ctx.strokeStyle = colours.ground;
    ctx.setLineDash([]);
    ctx.strokeRect(bar.x, bar.y, bar.width, bar.height);
    ctx.lineWidth = 2;
    ctx.strokeStyle = colours.ink;
    ctx.setLineDash(MOVED_DASH);
    ctx.strokeRect(bar.x, bar.y, bar.width, bar.height);
  }
  ctx.setLineDash([]);

  ctx.textAlign = "start";
  ctx.textBaseline = "top";
  ctx.lineJoin = "round";
  const words = new Room();
  let count = 0;
  let tries = 0;
  for (const bar of [...profile.bars].reverse()) {
    const stands = chosen.has(bar.shape.row.id);
    const colour = bar.phase === "ended" ? colours.ended : bar.shape.own ? colours.own : colours.peer;
    if (stands) {
      ctx.strokeStyle = colour;
      ctx.lineWidth = 4;
      ctx.strokeRect(bar.x, bar.y, bar.width, bar.height);
    }
    const left = Math.max(2, bar.x + 4);
    const room = Math.min(width, bar.x + bar.width) - left - 2;
    if (room < LABEL_FROM_PX || bar.height < colours.small || count >= MOST_LABELS || ++tries > 4 * MOST_LABELS) continue;
    const text = idOf(bar.shape);
    if (!words.take(left, bar.y + 2, Math.min(room, ctx.measureText(text).width), colours.small)) continue;
    count++;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, bar.y, room, bar.height);
    ctx.clip();
    ctx.fillStyle = colour;
    ctx.strokeStyle = colours.ground;
    ctx.lineWidth = 3;
    ctx.strokeText(text, left, bar.y + 2);
    ctx.fillText(text, left, bar.y + 2);
    ctx.restore();
  }
}

