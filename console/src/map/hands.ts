/** The uppermost sheet: what is being drawn or measured, what the node answered for it, the crosshair, and the graticule's figures. */
import type { LonLat } from "../geo/geodesic";
import { bearing, inKm, inNm } from "../geo/position";
import type { Feature, Tool } from "../state/stage.svelte";
import type { Layer } from "./address";
import type { Colours } from "./colours";
import { lineLabel, linesBetween, stepFor } from "./graticule";
import { type Handle, handlesOf, linesOf, measured, shapeOf } from "./hand";
import { latOf, lonOf, WORLD, xOf, yOf } from "./mercator";
import type { Paper } from "./sheet";

const HANDLE_PX = 6;
const HALO_PX = 3;
const URGENT_PX = 11;

export class Hands {
  layers: ReadonlySet<Layer> = new Set();
  tool: Tool | null = null;
  /** Points set so far, and where the pointer is. */
  points: readonly LonLat[] = [];
  pointer: LonLat | null = null;
  draft: readonly Feature[] = [];
  preview: readonly { outline: number[][][][]; conflict: boolean }[] = [];
  editable = false;
  /** Where urgent matters are. */
  urgent: readonly { lat: number; lon: number }[] = [];
  crosshair = false;

  constructor(public colours: Colours) {}

  paint(paper: Paper): void {
    if (this.layers.has("graticule")) this.#paintFigures(paper);
    for (const one of this.preview) this.#paintPreview(paper, one);
    for (const feature of this.draft) this.#paintDraft(paper, feature);
    if (this.editable) for (const feature of this.draft) this.#paintHandles(paper, handlesOf(feature));
    if (this.tool === "measure") this.#paintMeasure(paper);
    else if (this.tool) this.#paintDrawing(paper, this.tool);
    for (const { lat, lon } of this.urgent) this.#paintUrgent(paper, this.#pixels(paper, [[lon, lat]])[0]!);
    if (this.crosshair) this.#paintCrosshair(paper);
  }

  /** The octagon of an emergency, as in lists. */
  #paintUrgent({ ctx }: Paper, [x, y]: readonly [number, number]): void {
    ctx.save();
    ctx.beginPath();
    for (let corner = 0; corner < 8; corner++) {
      const turn = ((corner + 0.5) * Math.PI) / 4;
      ctx.lineTo(x + URGENT_PX * Math.cos(turn), y + URGENT_PX * Math.sin(turn));
    }
    ctx.closePath();
    ctx.lineJoin = ctx.lineCap = "round";
    ctx.lineWidth = 5;
    ctx.strokeStyle = this.colours["emergency-ink"];
    ctx.stroke();
    ctx.lineWidth = 2;
    ctx.strokeStyle = this.colours.emergency;
    ctx.fillStyle = this.colours["emergency-ground"];
    ctx.fill();
    ctx.stroke();
    ctx.strokeStyle = this.colours["emergency-ink"];
    ctx.beginPath();
    ctx.moveTo(x, y - URGENT_PX / 2);
    ctx.lineTo(x, y + 1);
    ctx.moveTo(x, y + URGENT_PX / 2);
    ctx.lineTo(x, y + URGENT_PX / 2);
    ctx.stroke();
    ctx.restore();
  }

  /** Pixels of positions, beside each other even across the antimeridian, in the world nearest to the middle of the view. */
  #pixels(paper: Paper, line: readonly LonLat[]): [number, number][] {
    const middle = (paper.box[0] + paper.box[2]) / 2;
    let before: number | null = null;
    return line.map(([lon, lat]) => {
      const x = xOf(lon);
      before = x + Math.round(((before ?? middle) - x) / WORLD) * WORLD;
      return [paper.x(before), paper.y(yOf(lat))];
    });
  }

  #trace(paper: Paper, line: readonly LonLat[], close = false): void {
    const { ctx } = paper;
    this.#pixels(paper, line).forEach(([x, y], i) => (i ? ctx.lineTo(x, y) : ctx.moveTo(x, y)));
    if (close) ctx.closePath();
  }

  #paintPreview(paper: Paper, { outline, conflict }: { outline: number[][][][]; conflict: boolean }): void {
    const { ctx } = paper;
    ctx.beginPath();
    for (const rings of outline) for (const ring of rings) this.#trace(paper, ring as unknown as LonLat[], true);
    ctx.strokeStyle = conflict ? this.colours.warning : this.colours.own;
    ctx.fillStyle = this.colours["own-fill"];
    ctx.lineWidth = 2.5;
    ctx.fill("evenodd");
    ctx.stroke();
    if (!conflict) return;
    ctx.save();
    ctx.clip("evenodd");
    ctx.lineWidth = 1;
    ctx.beginPath();
    for (let x = -paper.height; x < paper.width; x += 9) {
      ctx.moveTo(x, paper.height);
      ctx.lineTo(x + paper.height, 0);
    }
    ctx.stroke();
    ctx.restore();
  }

  #paintDraft(paper: Paper, feature: Feature): void {
    const { ctx } = paper;
    const line = feature.geometry?.type === "LineString";
    ctx.save();
    ctx.lineJoin = ctx.lineCap = "round";
    ctx.strokeStyle = this.colours.accent;
    const lines = linesOf(feature);
    const half = feature.properties.half_width_nm ?? feature.properties.radius_nm; // a radius: somebody who moves along the line
    if (line && typeof half === "number") {
      // as wide as the corridor at its own latitude; the node's outline, when it comes, is the exact one
      const lat = lines[0]?.[0]?.[1] ?? 0;
      ctx.globalAlpha = 0.18;
      ctx.lineWidth = (2 * half * 1852) / (paper.resolution * Math.cos((lat * Math.PI) / 180));
      ctx.beginPath();
      for (const one of lines) this.#trace(paper, one);
      ctx.stroke();
      ctx.globalAlpha = 1;
    }
    ctx.lineWidth = 2;
    ctx.beginPath();
    for (const one of lines) this.#trace(paper, one, !line);
    ctx.stroke();
    ctx.restore();
  }

  #paintHandles(paper: Paper, handles: readonly Handle[]): void {
    const { ctx } = paper;
    for (const handle of handles) {
      const [x, y] = this.#pixels(paper, [handle.at])[0]!;
      const size = handle.kind === "middle" ? HANDLE_PX / 2 : HANDLE_PX;
      ctx.beginPath();
      if (handle.kind === "vertex") ctx.rect(x - size, y - size, 2 * size, 2 * size);
      else ctx.arc(x, y, size, 0, 2 * Math.PI);
      ctx.fillStyle = handle.kind === "middle" ? this.colours.accent : this.colours.ground;
      ctx.strokeStyle = this.colours.accent;
      ctx.lineWidth = 2;
      ctx.fill();
      ctx.stroke();
    }
  }

  #paintDrawing(paper: Paper, tool: Exclude<Tool, "measure">): void {
    const { ctx } = paper;
    const points = this.pointer ? [...this.points, this.pointer] : this.points;
    if (!this.points.length) return;
    const shape = shapeOf(tool, points);
    if (shape) this.#paintDraft(paper, shape);
    else {
      ctx.strokeStyle = this.colours.accent;
      ctx.lineWidth = 2;
      ctx.beginPath();
      this.#trace(paper, points);
      ctx.stroke();
    }
    this.#paintPoints(paper, this.points, this.colours.accent);
    const radius = shape?.properties.radius_nm;
    if (typeof radius === "number") this.#write(paper, this.#pixels(paper, points).at(-1)!, `${radius.toFixed(2)} NM`);
  }

  #paintMeasure(paper: Paper): void {
    const { ctx } = paper;
    if (!this.points.length) return;
    const points = this.pointer ? [...this.points, this.pointer] : this.points;
    ctx.save();
    ctx.strokeStyle = this.colours.ink;
    ctx.lineWidth = 1.5;
    ctx.setLineDash([2, 3]);
    ctx.beginPath();
    this.#trace(paper, points);
    ctx.stroke();
    ctx.restore();
    this.#paintPoints(paper, this.points, this.colours.ink);
    const pixels = this.#pixels(paper, points);
    measured(points).legs.forEach(({ distance_m, bearing_deg }, i) => {
      const [[ax, ay], [bx, by]] = [pixels[i]!, pixels[i + 1]!];
      if (Math.hypot(bx - ax, by - ay) < 24) return;
      this.#write(paper, [(ax + bx) / 2, (ay + by) / 2], `${bearing(bearing_deg)}  ${inNm(distance_m)} · ${inKm(distance_m)}`);
    });
  }

  #paintPoints(paper: Paper, points: readonly LonLat[], colour: string): void {
    const { ctx } = paper;
    ctx.fillStyle = colour;
    for (const [x, y] of this.#pixels(paper, points)) ctx.fillRect(x - 3, y - 3, 6, 6);
  }

  #write(paper: Paper, [x, y]: [number, number], text: string): void {
    const { ctx } = paper;
    ctx.font = this.colours.figures;
    ctx.direction = "ltr";
    ctx.textBaseline = "bottom";
    ctx.lineJoin = "round";
    ctx.lineWidth = HALO_PX + 1;
    ctx.strokeStyle = this.colours.ground;
    ctx.fillStyle = this.colours.ink;
    ctx.strokeText(text, x + 6, y - 6);
    ctx.fillText(text, x + 6, y - 6);
  }

  #paintFigures(paper: Paper): void {
    const { ctx, box, height, margin } = paper;
    const step = stepFor(xOf(1) / paper.resolution);
    ctx.font = this.colours.figures;
    ctx.direction = "ltr";
    ctx.lineJoin = "round";
    ctx.lineWidth = HALO_PX;
    ctx.strokeStyle = this.colours.sea;
    ctx.fillStyle = this.colours["ink-quiet"];
    ctx.textBaseline = "top";
    const write = (text: string, x: number, y: number): void => {
      ctx.strokeText(text, x, y);
      ctx.fillText(text, x, y);
    };
    for (const minutes of linesBetween(lonOf(box[0]), lonOf(box[2]), step)) write(lineLabel(minutes, "EW"), paper.x(xOf(minutes / 60)) + 4, margin[1] + 4);
    ctx.textBaseline = "bottom";
    for (const minutes of linesBetween(latOf(box[1]), latOf(box[3]), step)) {
      const y = paper.y(yOf(minutes / 60));
      if (y > margin[1] + 40 && y < height - margin[1] - 8) write(lineLabel(minutes, "NS"), margin[0] + 4, y - 2);
    }
  }

  #paintCrosshair({ ctx, width, height }: Paper): void {
    const [x, y] = [Math.round(width / 2) + 0.5, Math.round(height / 2) + 0.5];
    ctx.strokeStyle = this.colours.focus;
    ctx.lineWidth = 1;
    ctx.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]] as const) {
      ctx.moveTo(x + 4 * dx, y + 4 * dy);
      ctx.lineTo(x + 16 * dx, y + 16 * dy);
    }
    ctx.stroke();
  }
}
