/**
 * A layer that is one canvas, painted a little larger than the map. While the map moves, the browser moves the picture; it is painted
 * anew when its edge is reached, when the scale has changed, or when its content has. So moving costs next to nothing, whatever is on it.
 */
import type { FrameState } from "ol/Map.js";
import Layer from "ol/layer/Layer.js";
import type { Box } from "./mercator";

export type Context = OffscreenCanvasRenderingContext2D;

/** What a painter is given: a context in CSS pixels with its origin at the picture's top left. */
export interface Paper {
  ctx: Context;
  width: number;
  height: number;
  /** The plane's metres to a pixel. */
  resolution: number;
  /** What the picture shows of the plane. */
  box: Box;
  ratio: number;
  /** How far the picture reaches beyond the map on each side. */
  margin: [number, number];
  x(easting: number): number;
  y(northing: number): number;
}

const QUICK_MS = 12; // painted that fast, it is painted while the map moves too
const MOST_PIXELS = 12_000_000; // of one picture; larger screens get a smaller margin

export class Sheet {
  readonly layer: Layer;
  /** How long the last painting took on this thread, for measuring. */
  paintedMs = 0;
  #canvas = document.createElement("canvas");
  #desk = new OffscreenCanvas(1, 1);
  #carrier = document.createElement("div"); // what is moved: a canvas that is moved itself is handed to the compositor anew each time
  #dirty = true;
  #at: { x: number; y: number; resolution: number; width: number; height: number; ratio: number; margin: [number, number] } | null = null;

  constructor(
    private readonly paint: (paper: Paper) => void,
    private readonly share: number,
    zIndex: number,
    /** Whether some of it belongs to the map's edge or middle: then it is painted anew when the map has come to rest. */
    private readonly anchored = false,
  ) {
    this.#carrier.append(this.#canvas);
    this.#canvas.style.display = "block";
    const { style } = this.#carrier;
    style.position = "absolute";
    style.left = style.top = "0"; // of the map's plane, which no language mirrors
    style.transformOrigin = "0 0";
    style.pointerEvents = "none";
    style.willChange = "transform"; // a layer of the compositor, so that moving it paints nothing
    this.layer = new Layer({ render: (frame: FrameState) => this.#render(frame), zIndex });
  }

  /** The content has changed. */
  changed(): void {
    this.#dirty = true;
    this.layer.changed();
  }

  #render(frame: FrameState): HTMLElement {
    const { center, resolution } = frame.viewState;
    const [width = 0, height = 0] = frame.size;
    const [x = 0, y = 0] = center;
    const moving = frame.viewHints[0]! > 0 || frame.viewHints[1]! > 0; // animating, interacting
    const at = this.#at;
    const sized = at !== null && at.width === width && at.height === height && at.ratio === frame.pixelRatio;
    if (at && sized && !this.#dirty) {
      const scale = at.resolution / resolution;
      const left = (at.x - x) / resolution - at.margin[0] * scale + (width / 2) * (1 - scale);
      const top = (y - at.y) / resolution - at.margin[1] * scale + (height / 2) * (1 - scale);
      const covers = left <= 0 && top <= 0 && left + (width + 2 * at.margin[0]) * scale >= width && top + (height + 2 * at.margin[1]) * scale >= height;
      const still = Math.abs(at.x - x) + Math.abs(at.y - y) < resolution / 100;
      if ((scale === 1 && covers && (!this.anchored || moving || still)) || (moving && this.paintedMs > QUICK_MS)) {
        // whole device pixels, so that words stay sharp
        const whole = (n: number): number => (scale === 1 ? Math.round(n * at.ratio) / at.ratio : n);
        this.#carrier.style.transform = `matrix(${scale},0,0,${scale},${whole(left)},${whole(top)})`;
        return this.#carrier;
      }
    }
    if (width && height) this.#repaint(x, y, resolution, width, height, frame.pixelRatio);
    return this.#carrier;
  }

  #repaint(x: number, y: number, resolution: number, width: number, height: number, ratio: number): void {
    const began = performance.now();
    const room = Math.min(this.share, (Math.sqrt(MOST_PIXELS / (width * height * ratio * ratio)) - 1) / 2);
    const margin: [number, number] = [Math.max(0, Math.round(width * room)), Math.max(0, Math.round(height * room))];
    const [wide, high] = [width + 2 * margin[0], height + 2 * margin[1]];
    const canvas = this.#desk;
    const ctx = canvas.getContext("2d")!;
    const [pixelsWide, pixelsHigh] = [Math.round(wide * ratio), Math.round(high * ratio)];
    if (canvas.width !== pixelsWide || canvas.height !== pixelsHigh) {
      [canvas.width, canvas.height] = [pixelsWide, pixelsHigh];
      this.#canvas.style.width = `${wide}px`;
      this.#canvas.style.height = `${high}px`;
    }
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, wide, high);
    const west = x - (wide / 2) * resolution;
    const north = y + (high / 2) * resolution;
    this.paint({
      ctx,
      width: wide,
      height: high,
      resolution,
      box: [west, north - high * resolution, west + wide * resolution, north],
      ratio,
      margin,
      x: (easting) => (easting - west) / resolution,
      y: (northing) => (north - northing) / resolution,
    });
    this.#canvas.getContext("bitmaprenderer")!.transferFromImageBitmap(canvas.transferToImageBitmap());
    this.#carrier.style.transform = `matrix(1,0,0,1,${-margin[0]},${-margin[1]})`;
    this.#at = { x, y, resolution, width, height, ratio, margin };
    this.#dirty = false;
    this.paintedMs = performance.now() - began;
    performance.measure("detente:paint", { start: began, duration: this.paintedMs });
    performance.clearMeasures("detente:paint"); // seen by whoever traces, kept by nobody
  }
}
