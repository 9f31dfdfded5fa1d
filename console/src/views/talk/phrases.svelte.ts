/** The phrasebook as the node has it: asked for once for each language of the screen. */
import { get, post, type Schemas } from "../../api/client";
import { i18n } from "../../i18n/index.svelte";

export type PhraseList = Schemas["PhraseList"];
export type PhraseRow = Schemas["PhraseRow"];
export type Rendering = Schemas["Rendering"];

const kept = new Map<string, Promise<PhraseList>>();

/** The phrases in the language of the screen; what failed is asked for again the next time. */
export function readPhrases(language: string = i18n.language): Promise<PhraseList> {
  const found = kept.get(language) ?? get<PhraseList>("phrasebook", { language });
  kept.set(language, found);
  found.catch(() => kept.delete(language));
  return found;
}

/** Without accents, vowel signs and capitals, so that what is typed in a hurry is found. */
function fold(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").replaceAll("ـ", "").toLocaleLowerCase();
}

/** Phrases that hold every word asked for, in their words, their id or `also` (the same phrases in another language). */
export function found(rows: readonly PhraseRow[], asked: string, also: ReadonlyMap<string, string> = new Map()): PhraseRow[] {
  const words = fold(asked).split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    const text = fold(`${row.text} ${row.id} ${also.get(row.id) ?? ""}`);
    return words.every((word) => text.includes(word));
  });
}

const rendered = new Map<string, Promise<readonly Rendering[]>>();
const RENDERED_MOST = 500; // phrases of a timeline; past that the first ones are asked for again

/** A phrase in a language, rendered by the node; null where it cannot be. */
export async function inLanguage(phrase: string, slots: unknown, language: string): Promise<Rendering | null> {
  const key = JSON.stringify([phrase, slots]);
  const asked = rendered.get(key) ?? post<Schemas["RenderingList"]>("phrasebook/render", { phrase, slots }).then((answer) => answer.renderings);
  if (rendered.size >= RENDERED_MOST) rendered.clear();
  rendered.set(key, asked);
  try {
    return (await asked).find((one) => one.language === language) ?? null;
  } catch {
    return null; // a phrase of a newer book: its id stands instead
  }
}
