/** Where urgent matters are: of an emergency as it says, of a cease request as the node reads its words, else of what it is about. */
import { post, type Schemas } from "../../api/client";
import { picture, type Urgent } from "../../state/picture.svelte";
import { router } from "../../state/router.svelte";
import { stage } from "../../state/stage.svelte";
import { findView } from "../registry";

type At = { lat: number; lon: number };

// only what looks like a position is asked about: two parts with hemispheres, decimals, or a square of the military grid
const LIKELY = [/\d[^NS]{0,24}[NS][^EW]{0,24}\d[^EW]{0,24}[EW]/i, /-?\d{1,2}\.\d+[,;\s]+-?\d{1,3}\.\d+/, /\b\d{1,2}\s?[C-HJ-NP-X]\s?[A-HJ-NP-Z]{2}\s?(\d\s?){4,10}/i];
const MOST_CHARS = 200;

class UrgentPlaces {
  #read = $state.raw<ReadonlyMap<string, At | null>>(new Map());

  /** Where a matter is; null while nobody knows. */
  of(row: Urgent): At | null {
    return row.place ?? this.#read.get(row.place_words ?? "") ?? null;
  }

  /** Has the words of requests read, each once. */
  want(rows: Iterable<Urgent>): void {
    for (const { place_words: words } of rows) {
      if (!words || words.length > MOST_CHARS || this.#read.has(words) || !LIKELY.some((one) => one.test(words))) continue;
      this.#keep(words, null);
      post<Schemas["Reading"]>("read", { text: words }).then(
        (found) => {
          const [first, ...others] = found.positions;
          if (first && !others.length) this.#keep(words, { lat: first.lat, lon: first.lon });
        },
        () => {}, // no position after all: the words stand as they are
      );
    }
  }

  #keep(words: string, at: At | null): void {
    this.#read = new Map(this.#read).set(words, at);
  }
}

export const places = new UrgentPlaces();

/** The notices that a matter is about, where there are any. */
function noticesOf(row: Urgent): string[] {
  if (row.about?.kind === "notice") return [row.about.id];
  return [...(picture.conflicts.get(row.about?.id ?? "")?.notices ?? [])];
}

export function canShow(row: Urgent): boolean {
  return places.of(row) !== null || noticesOf(row).some((id) => picture.notices.has(id));
}

/** Brings it into view on the map, also from a view that has none. */
export function showOnMap(row: Urgent): void {
  if (findView(router.view).layout === "page") router.go("urgent", row.id);
  const place = places.of(row);
  stage.bring = place ? { place, front: true } : { notices: noticesOf(row), front: true };
}
