/** The pages of the help, in the order in which a new officer would read them, and how they are found. */
import type { Language } from "../../i18n/index.svelte";

export const PAGES = [
  "first-watch",
  "notices",
  "conflicts",
  "alarms",
  "urgent",
  "talk",
  "file",
  "ask",
  "map",
  "desks",
  "lines",
  "settings",
  "proof",
  "not-live",
  "words",
  "keys",
] as const;
export type PageName = (typeof PAGES)[number];

/** Views that are explained on another view's page. */
const TOLD_ELSEWHERE: Record<string, PageName> = { print: "proof", "sign-in": "first-watch" };

export interface Page {
  title: string;
  html: string;
  words: string; // the same without markup
}

type Loads = Record<string, () => Promise<Page>>;
const english = import.meta.glob<Page>("../../help/en/*.md", { eager: true, import: "default" });
const others: Loads = import.meta.glob<Page>("../../help/{ru,he,ar}/*.md", { import: "default" });

/** The page that an address or a view asks for; the first one where it asks for none that exists. */
export function pageNamed(asked: string): PageName {
  return PAGES.find((name) => name === asked) ?? TOLD_ELSEWHERE[asked] ?? PAGES[0];
}

/** A page in a language, or in English where nobody has translated it yet. */
export async function readPage(name: PageName, language: Language, translated: Loads = others): Promise<{ page: Page; language: Language }> {
  const load = translated[`../../help/${language}/${name}.md`];
  if (load) return { page: await load(), language };
  return { page: english[`../../help/en/${name}.md`]!, language: "en" };
}

export interface Found {
  name: PageName;
  excerpt: string;
}

const AROUND = 60; // characters shown on either side of what was found

/** Pages that hold every word asked for, those with it in the title first. */
export function search(asked: string, titles: Record<string, string>, pages: Record<string, Page> = english): Found[] {
  const words = fold(asked).split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const found: (Found & { inTitle: boolean })[] = [];
  for (const name of PAGES) {
    const page = pages[`../../help/en/${name}.md`];
    if (!page) continue;
    const title = fold(`${titles[name] ?? ""} ${page.title}`);
    const body = fold(page.words);
    if (!words.every((word) => title.includes(word) || body.includes(word))) continue;
    const first = words.map((word) => body.indexOf(word)).find((at) => at >= 0);
    found.push({ name, inTitle: words.some((word) => title.includes(word)), excerpt: first === undefined ? "" : around(page.words, first) });
  }
  return found.sort((a, b) => Number(b.inTitle) - Number(a.inTitle)).map(({ name, excerpt }) => ({ name, excerpt }));
}

/** Lower case, letter for letter, so that a place in one is the same place in the other. */
function fold(text: string): string {
  return text.replace(/\p{Lu}/gu, (letter) => (letter.toLowerCase().length === letter.length ? letter.toLowerCase() : letter));
}

function around(text: string, at: number): string {
  const from = Math.max(0, text.lastIndexOf(" ", Math.max(0, at - AROUND)) + 1);
  const end = text.indexOf(" ", at + AROUND);
  const until = end < 0 ? text.length : end;
  return `${from ? "… " : ""}${text.slice(from, until)}${until < text.length ? " …" : ""}`;
}
