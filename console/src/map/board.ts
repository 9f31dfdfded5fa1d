/** The map itself: a view that moves, three sheets over each other, and what pointer and keyboard do on them. */
import OlMap from "ol/Map.js";
import View from "ol/View.js";
import type MapBrowserEvent from "ol/MapBrowserEvent.js";
import DoubleClickZoom from "ol/interaction/DoubleClickZoom.js";
import DragPan from "ol/interaction/DragPan.js";
import MouseWheelZoom from "ol/interaction/MouseWheelZoom.js";
import PinchZoom from "ol/interaction/PinchZoom.js";
import PointerInteraction from "ol/interaction/Pointer.js";
import Kinetic from "ol/Kinetic.js";
import { type LonLat, wrap } from "../geo/geodesic";
import type { Conflict, Notice } from "../state/picture.svelte";
import type { Feature, Tool } from "../state/stage.svelte";
import { type Layer, LEAST_ZOOM, MOST_ZOOM, type Place } from "./address";
import { type Colours, readColours } from "./colours";
import { Ground } from "./ground";
import { type Handle, handlesOf, LEAST_POINTS, movedTo, shapeOf, without } from "./hand";
import { Hands } from "./hands";
import { aroundTheWorld, type Box, latOf, lonOf, xOf, yOf } from "./mercator";
import { type Hit, NoticeSheet, type Words } from "./notices";
import { nextChange, type Shape, Shapes } from "./shapes";
import { Sheet } from "./sheet";
import { Symbols } from "./symbols";

export interface Told {
  /** The view moved or changed its size. */
  view(view: { lat: number; lon: number; zoom: number; resolution: number; box: Box }, settled: boolean): void;
  /** Where the pointer is, or null when it left. */
  pointer(at: { lat: number; lon: number } | null, hit: Hit | null): void;
  /** Something was pressed; `x` and `y` are pixels from the map's top left. */
  pressed(hit: Hit, x: number, y: number): void;
  drawn(feature: Feature): void;
  /** One of the draft was changed. */
  changed(feature: Feature, index: number): void;
  /** The line measured so far. */
  measuring(points: readonly LonLat[]): void;
  /** How many shapes are on the map. */
  painted(drawn: number): void;
  /** How many volumes that move are somewhere at the time shown. */
  moving(count: number): void;
}

type Pressed = MapBrowserEvent<PointerEvent>;

const SPARE = 0.35; // of the map's size, painted beyond each edge: as far as one pull of a hand goes
const STEP_PX = 80;
const FINE_PX = 8;
const GRIP_PX = 11;
const GRIP_TOUCH_PX = 20;
const SAME_PX = 5; // a second press this near is the end of a double press
const ROOM = { fit: 64, place: 9 }; // pixels round what is brought into view; zoom at which a single place is shown

export class Board {
  readonly shapes = new Shapes();
  #map: OlMap;
  #view: View;
  #target: HTMLElement;
  #colours: Colours;
  #ground: Ground;
  #notices: NoticeSheet;
  #hands: Hands;
  #symbols: Symbols;
  #sheets: { ground: Sheet; notices: Sheet; hands: Sheet };
  #doubleClick = new DoubleClickZoom({ duration: 0 });
  #next = 0;
  #grip: { index: number; handle: Handle; feature: Feature } | null = null;
  #calm: boolean;
  #listen = new AbortController();

  constructor(
    target: HTMLElement,
    private readonly told: Told,
    words: Words,
  ) {
    this.#target = target;
    this.#calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#colours = readColours();
    this.#ground = new Ground(this.#colours, () => this.#sheets.ground.changed());
    this.#symbols = new Symbols(() => this.#sheets.notices.changed());
    this.#notices = new NoticeSheet(this.#colours, this.shapes, this.#symbols, words);
    this.#hands = new Hands(this.#colours);
    this.#sheets = {
      ground: new Sheet((paper) => this.#ground.paint(paper), SPARE, 0),
      notices: new Sheet((paper) => {
        this.#notices.paint(paper);
        told.painted(this.#notices.drawn);
      }, SPARE, 1),
      hands: new Sheet((paper) => {
        this.#notices.paintChosen(paper);
        told.moving(this.#notices.paintMoving(paper));
        this.#hands.paint(paper);
      }, SPARE, 2, true),
    };
    this.#view = new View({ center: [0, yOf(30)], zoom: 3, minZoom: LEAST_ZOOM, maxZoom: MOST_ZOOM, enableRotation: false, constrainResolution: false });
    const kinetic = this.#calm ? {} : { kinetic: new Kinetic(-0.005, 0.05, 100) };
    this.#map = new OlMap({
      target,
      view: this.#view,
      layers: [this.#sheets.ground.layer, this.#sheets.notices.layer, this.#sheets.hands.layer],
      controls: [],
      interactions: [
        new DragPan(kinetic),
        new MouseWheelZoom(this.#calm ? { duration: 0 } : {}),
        new PinchZoom(),
        this.#doubleClick,
        new PointerInteraction({
          handleDownEvent: (event) => this.#take(event as Pressed),
          handleDragEvent: (event) => this.#drag(event as Pressed),
          handleUpEvent: () => this.#drop(),
        }),
      ],
    });
    this.#map.on("pointermove", (event) => this.#move(event as Pressed));
    this.#map.on("click", (event) => this.#press(event as Pressed));
    this.#map.on("dblclick", () => this.finish());
    this.#map.on("moveend", () => this.#tell(true));
    this.#map.on("postrender", () => this.#tell(false));
    const { signal } = this.#listen;
    target.addEventListener("pointerleave", () => this.#left(), { signal });
    target.addEventListener("keydown", (event) => this.#key(event), { signal });
    target.addEventListener("focus", () => this.#cross(target.matches(":focus-visible")), { signal });
    target.addEventListener("blur", () => this.#cross(false), { signal });
  }

  close(): void {
    this.#listen.abort();
    this.#ground.close();
    this.#map.setTarget(undefined);
    this.#map.dispose();
  }

  // -- what is shown ---------------------------------------------------------------------------

  /** The light, or the reader's text size, has changed. */
  recolour(): void {
    this.#colours = readColours();
    this.#ground.colours = this.#notices.colours = this.#hands.colours = this.#colours;
    this.#symbols.forget();
    this.#ground.remeasure();
    for (const sheet of Object.values(this.#sheets)) sheet.changed();
  }

  /** Fonts have come, or the language has changed. */
  reword(): void {
    this.#ground.remeasure();
    for (const sheet of Object.values(this.#sheets)) sheet.changed();
  }

  show(rows: ReadonlyMap<string, Notice>, changed: readonly string[] | null, own: string): boolean {
    const any = this.shapes.update(rows, changed, own);
    if (any) this.#renew();
    return any;
  }

  showConflicts(conflicts: readonly Conflict[]): void {
    this.#notices.conflicts = conflicts;
    this.#sheets.notices.changed();
  }

  /** The time shown; the picture is painted anew only when something starts or ends between, and what moves on its own sheet. */
  showTime(at: number): void {
    const before = this.#notices.at;
    this.#notices.at = at;
    if (at < before || at >= this.#next) this.#renew();
    else if (this.shapes.moving.some((shape) => shape.phase(at) === "active")) this.#sheets.hands.changed();
  }

  #renew(): void {
    this.#next = nextChange(this.shapes.all, this.#notices.at);
    for (const { until } of this.#notices.conflicts) {
      const end = until === null ? Infinity : Date.parse(until);
      if (end > this.#notices.at) this.#next = Math.min(this.#next, end);
    }
    this.#sheets.notices.changed();
    this.#sheets.hands.changed();
  }

  showLayers(layers: ReadonlySet<Layer>): void {
    this.#ground.layers = this.#notices.layers = this.#hands.layers = layers;
    for (const sheet of Object.values(this.#sheets)) sheet.changed();
  }

  /** Notices and conflicts that stand out. */
  choose(ids: ReadonlySet<string>): void {
    const now = this.#notices.chosen;
    if (now.size === ids.size && [...ids].every((id) => now.has(id))) return;
    this.#notices.chosen = ids;
    this.#sheets.hands.changed();
  }

  /** Where notices would be after a change that is looked at. */
  showMoved(shapes: readonly Shape[]): void {
    if (!shapes.length && !this.#notices.moved.length) return;
    this.#notices.moved = shapes;
    this.#sheets.hands.changed();
  }

  /** Where urgent matters are. */
  showUrgent(places: readonly { lat: number; lon: number }[]): void {
    this.#hands.urgent = places;
    this.#sheets.hands.changed();
  }

  showDraft(draft: readonly Feature[], preview: readonly { outline: number[][][][]; conflict: boolean }[], editable: boolean): void {
    this.#hands.draft = draft;
    this.#hands.preview = preview;
    this.#hands.editable = editable;
    this.#sheets.hands.changed();
  }

  // -- the view --------------------------------------------------------------------------------

  go({ lat, lon, zoom }: Place): void {
    // the world nearest to where we are, so that a step over the antimeridian is a step
    const now = this.#view.getCenter()?.[0] ?? 0;
    const x = xOf(lon);
    this.#view.setCenter([x + Math.round((now - x) / xOf(360)) * xOf(360), yOf(lat)]);
    this.#view.setZoom(zoom);
  }

  zoom(by: number): void {
    const zoom = Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, (this.#view.getZoom() ?? 3) + by));
    if (this.#calm) this.#view.setZoom(zoom);
    else this.#view.animate({ zoom, duration: 150 });
  }

  /** Brings boxes of the plane into view; false where there are none. */
  fit(boxes: readonly Box[], nearest = 11): boolean {
    const whole = aroundTheWorld(boxes);
    const [wide = 0, high = 0] = this.#map.getSize() ?? [];
    if (!whole || !wide || !high) return false;
    const room = Math.min(ROOM.fit, wide / 5, high / 5);
    this.#view.fit(whole, { padding: [room, room, room, room], maxZoom: nearest });
    return true;
  }

  boxesOf(notices: readonly string[]): Box[] {
    return notices.flatMap((id) => this.shapes.of(id).filter((shape) => shape.piece.outline.length).map((shape) => shape.box));
  }

  showPlace(lat: number, lon: number): void {
    this.go({ lat, lon, zoom: Math.max(this.#view.getZoom() ?? 0, ROOM.place) });
  }

  get ready(): boolean {
    const [wide = 0, high = 0] = this.#map.getSize() ?? [];
    return wide > 0 && high > 0;
  }

  #tell(settled: boolean): void {
    const [x = 0, y = 0] = this.#view.getCenter() ?? [];
    const resolution = this.#view.getResolution() ?? 1;
    const [wide = 0, high = 0] = this.#map.getSize() ?? [];
    if (!wide || !high) return;
    const box: Box = [x - (wide / 2) * resolution, y - (high / 2) * resolution, x + (wide / 2) * resolution, y + (high / 2) * resolution];
    this.told.view({ lat: latOf(y), lon: wrap(lonOf(x)), zoom: this.#view.getZoom() ?? 0, resolution, box }, settled);
  }

  // -- pointer ---------------------------------------------------------------------------------

  #at([x = 0, y = 0]: readonly number[]): LonLat {
    return [wrap(lonOf(x)), latOf(y)];
  }

  #move(event: Pressed): void {
    if (event.dragging) return;
    const at = this.#at(event.coordinate);
    const hit = this.#hands.tool ? null : this.#hit(event.coordinate);
    this.#target.style.cursor = this.#hands.tool ? "crosshair" : this.#gripAt(event) ? "move" : hit && (hit.notices.length || hit.conflicts.length) ? "pointer" : "";
    if (this.#hands.tool) {
      this.#hands.pointer = at;
      this.#sheets.hands.changed();
    }
    this.told.pointer({ lat: at[1], lon: at[0] }, hit);
  }

  #left(): void {
    this.told.pointer(null, null);
    if (!this.#hands.pointer) return;
    this.#hands.pointer = null;
    this.#sheets.hands.changed();
  }

  #hit([x = 0, y = 0]: readonly number[]): Hit {
    return this.#notices.find(x, y, this.#view.getResolution() ?? 1);
  }

  #press(event: Pressed): void {
    const [x = 0, y = 0] = event.pixel;
    if (this.#hands.tool) this.#point(this.#at(event.coordinate));
    else this.told.pressed(this.#hit(event.coordinate), x, y);
  }

  // -- drawing and measuring -------------------------------------------------------------------

  hold(tool: Tool | null): void {
    if (tool === this.#hands.tool) return;
    this.#hands.tool = tool;
    this.#hands.points = [];
    this.#hands.pointer = null;
    this.#doubleClick.setActive(tool === null); // the second press of a double one ends a shape
    this.#target.style.cursor = tool ? "crosshair" : "";
    this.#sheets.hands.changed();
  }

  #point(at: LonLat): void {
    const hands = this.#hands;
    const last = hands.points.at(-1);
    if (last && this.#apart(last, at) < SAME_PX) return;
    const first = hands.points[0];
    if (hands.tool === "polygon" && first && hands.points.length >= LEAST_POINTS.polygon && this.#apart(first, at) < GRIP_PX) return this.finish();
    hands.points = [...hands.points, at];
    this.#sheets.hands.changed();
    if (hands.tool === "measure") this.told.measuring(hands.points);
    if (hands.tool === "circle" && hands.points.length === LEAST_POINTS.circle) this.finish();
  }

  #apart(a: LonLat, b: LonLat): number {
    return Math.hypot(xOf(wrap(b[0] - a[0])), yOf(b[1]) - yOf(a[1])) / (this.#view.getResolution() ?? 1);
  }

  /** Ends the shape being drawn; with too few points nothing happens. */
  finish(): void {
    const { tool, points } = this.#hands;
    if (!tool || tool === "measure") return;
    const shape = shapeOf(tool, points);
    if (!shape) return;
    this.#hands.points = [];
    this.#hands.pointer = null;
    this.#sheets.hands.changed();
    this.told.drawn(shape);
  }

  /** Takes back the last point; false where there is none. */
  back(): boolean {
    if (!this.#hands.points.length) return false;
    this.#hands.points = this.#hands.points.slice(0, -1);
    if (this.#hands.tool === "measure") this.told.measuring(this.#hands.points);
    this.#sheets.hands.changed();
    return true;
  }

  #gripAt(event: Pressed): { index: number; handle: Handle } | null {
    if (!this.#hands.editable || this.#hands.tool) return null;
    const at = this.#at(event.coordinate);
    const reach = event.originalEvent.pointerType === "touch" ? GRIP_TOUCH_PX : GRIP_PX;
    let found: { index: number; handle: Handle } | null = null;
    let least = reach;
    this.#hands.draft.forEach((feature, index) => {
      for (const handle of handlesOf(feature)) {
        const apart = this.#apart(handle.at, at) + (handle.kind === "middle" ? reach / 2 : 0);
        if (apart < least) [least, found] = [apart, { index, handle }];
      }
    });
    return found;
  }

  #take(event: Pressed): boolean {
    const found = this.#gripAt(event);
    if (!found) return false;
    const feature = this.#hands.draft[found.index]!;
    if (event.originalEvent.altKey) {
      const less = without(feature, found.handle);
      if (less) this.told.changed(less, found.index);
      return false;
    }
    this.#grip = { ...found, feature };
    return true;
  }

  #drag(event: Pressed): void {
    if (!this.#grip) return;
    const feature = movedTo(this.#grip.feature, this.#grip.handle, this.#at(event.coordinate));
    this.#hands.draft = this.#hands.draft.map((one, i) => (i === this.#grip!.index ? feature : one));
    this.#hands.preview = []; // the node's outline is of the shape as it was
    this.#sheets.hands.changed();
  }

  #drop(): boolean {
    const grip = this.#grip;
    this.#grip = null;
    const feature = grip && this.#hands.draft[grip.index];
    if (grip && feature && feature !== grip.feature) this.told.changed(feature, grip.index);
    return false;
  }

  // -- keyboard --------------------------------------------------------------------------------

  #cross(on: boolean): void {
    this.#hands.crosshair = on;
    this.#sheets.hands.changed();
    if (on) this.#tellCenter();
  }

  #tellCenter(): void {
    const at = this.#at(this.#view.getCenter() ?? [0, 0]);
    if (this.#hands.tool) this.#hands.pointer = at;
    this.told.pointer({ lat: at[1], lon: at[0] }, null);
  }

  #key(event: KeyboardEvent): void {
    if (event.target !== this.#target || event.ctrlKey || event.metaKey || event.altKey) return;
    const steps: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const step = steps[event.key];
    if (step) {
      const length = (event.shiftKey ? FINE_PX : STEP_PX) * (this.#view.getResolution() ?? 1);
      const [x = 0, y = 0] = this.#view.getCenter() ?? [];
      this.#view.setCenter([x + step[0] * length, y + step[1] * length]);
      this.#cross(true);
    } else if (event.key === "+" || event.key === "=") this.zoom(1);
    else if (event.key === "-") this.zoom(-1);
    else if (event.key === "Enter") this.#enter(event.shiftKey);
    else if (event.key === "Backspace") this.back();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Enter presses at the crosshair; a second time at the same place, or with Shift, it ends the shape. */
  #enter(end: boolean): void {
    const center = this.#view.getCenter() ?? [0, 0];
    const [wide = 0, high = 0] = this.#map.getSize() ?? [];
    if (!this.#hands.tool) return this.told.pressed(this.#hit(center), wide / 2, high / 2);
    const at = this.#at(center);
    const last = this.#hands.points.at(-1);
    if (end || (last && this.#apart(last, at) < 1)) this.finish();
    else this.#point(at);
  }
}
