/**
 * The address after `#` is the state of the screen: `#/VIEW/ID?param=value`. One address restores the view, and nothing in it is secret:
 * it names notices, not their content.
 */

export interface Place {
  view: string;
  id: string;
  params: Record<string, string>;
}

function read(): Place {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [view = "", ...rest] = path.split("/");
  let id = rest.join("/");
  try {
    id = decodeURIComponent(id);
  } catch {
    id = "";
  }
  return { view: view || "notices", id, params: Object.fromEntries(new URLSearchParams(query)) };
}

function write(place: Place): string {
  const query = new URLSearchParams(place.params).toString();
  const id = place.id ? `/${encodeURIComponent(place.id)}` : "";
  return `#/${place.view}${id}${query ? `?${query}` : ""}`;
}

class Router {
  place = $state.raw<Place>(read());
  /** Parts of it, for whoever need not be told that the map was moved. */
  view = $derived(this.place.view);
  id = $derived(this.place.id);

  constructor() {
    addEventListener("hashchange", () => (this.place = read()));
  }

  /** The address of another view; the map's part of the address (centre, zoom, layers) stays. */
  to(view: string, id = "", params: Record<string, string> = {}): string {
    const kept = Object.fromEntries(Object.entries(this.place.params).filter(([name]) => KEPT.has(name)));
    return write({ view, id, params: { ...kept, ...params } });
  }

  go(view: string, id = "", params: Record<string, string> = {}): void {
    location.hash = this.to(view, id, params);
  }

  /**
   * Changes parameters in place, without a step in the browser's history. The address itself is asked where we are: it may have gone
   * on already, and its `hashchange` be still to come, when the map stops moving and says where it is.
   */
  set(params: Record<string, string | null>): void {
    const here = read();
    const merged = here.params;
    for (const [name, value] of Object.entries(params)) {
      if (value === null) delete merged[name];
      else merged[name] = value;
    }
    this.place = here;
    history.replaceState(history.state, "", write(this.place));
  }
}

const KEPT = new Set(["c", "z", "layers", "t"]);

export const router = new Router();
