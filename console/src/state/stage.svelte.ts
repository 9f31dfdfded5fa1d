/** What the map shows besides the picture, shared by the map and the panels beside it. */

import type { Schemas } from "../api/client";

export interface Feature {
  type: "Feature";
  geometry: { type: string; coordinates: unknown } | null;
  properties: Record<string, unknown>;
}

export type Tool = "polygon" | "circle" | "corridor" | "measure";

class Stage {
  /** The time shown, in milliseconds since the epoch; null follows the clock. */
  time = $state<number | null>(null);
  /** The hand tool in use; the map draws and hands the result to `onDrawn`. */
  tool = $state<Tool | null>(null);
  /** Shapes being filed or asked about, drawn over everything else. Width in `half_width_nm`, radius in `radius_nm`. */
  draft = $state.raw<readonly Feature[]>([]);
  /** Outlines the node answered for the draft (polygons of rings of [longitude, latitude]), and where it would meet others. */
  preview = $state.raw<{ outline: number[][][][]; conflict: boolean }[]>([]);
  /** Where notices would be after a change that an officer looks at. */
  moved = $state.raw<readonly Schemas["MovedNotice"][]>([]);
  /** Asked for: bring these into view. The map sets it back to null. `front`: also where the screen shows one thing at a time. `moved`: what `moved` holds, with the notices, unless it is all in view. */
  bring = $state.raw<{ notices?: string[]; place?: { lat: number; lon: number }; draft?: boolean; moved?: boolean; front?: boolean } | null>(null);
  /** Where urgent matters are, marked over everything else. */
  urgent = $state.raw<readonly { lat: number; lon: number }[]>([]);
  /** What the pointer or the keyboard rests on in a list, so that the map can show it. */
  hover = $state<string | null>(null);
  onDrawn: ((feature: Feature) => void) | null = null;
  /**
   * Gets a shape of `draft` that was changed on the map, its properties as they were (but for `radius_nm`), and its place in `draft`.
   * While nobody takes changes, the draft's vertices cannot be moved.
   */
  onChanged = $state.raw<((feature: Feature, index: number) => void) | null>(null);

  /** Takes a hand tool for one shape; `done` gets it when it is finished, and the tool is put away. */
  draw(tool: Tool, done: (feature: Feature) => void): void {
    this.onDrawn = done;
    this.tool = tool;
  }

  /** Puts tool and draft away. */
  clear(): void {
    this.tool = null;
    this.onDrawn = null;
    this.onChanged = null;
    this.draft = [];
    this.preview = [];
  }
}

export const stage = new Stage();
