/**
 * Words in four languages. English is loaded always and stands in where a translation lacks a key; a test counts those as errors.
 * A file is one room of words; its keys are written `room.key`. Values may hold `{name}`, and a plural is an object of its forms.
 */

export const LANGUAGES = ["en", "ru", "he", "ar"] as const;
export type Language = (typeof LANGUAGES)[number];
export const LANGUAGE_NAMES: Record<Language, string> = { en: "English", ru: "Русский", he: "עברית", ar: "العربية" };

type Plural = Partial<Record<Intl.LDMLPluralRule, string>>;
type Words = Record<string, string | Plural>;
type Values = Record<string, string | number>;

const files = import.meta.glob<{ default: Words }>("./{ru,he,ar}/*.json");
const english = import.meta.glob<Words>("./en/*.json", { eager: true, import: "default" });

function named(path: string, words: Words): [string, string | Plural][] {
  const room = /([^/]+)\.json$/.exec(path)![1]!;
  return Object.entries(words).map(([key, value]) => [`${room}.${key}`, value]);
}

const base = new Map(Object.entries(english).flatMap(([path, words]) => named(path, words)));

export function direction(language: Language): "ltr" | "rtl" {
  return language === "he" || language === "ar" ? "rtl" : "ltr";
}

function preferred(): Language {
  const kept = localStorage.getItem("language");
  const wanted = [kept ?? "", ...navigator.languages].map((tag) => tag.slice(0, 2));
  return (wanted.find((tag) => (LANGUAGES as readonly string[]).includes(tag)) as Language | undefined) ?? "en";
}

class I18n {
  language = $state<Language>("en");
  #words = $state.raw<Map<string, string | Plural>>(new Map());
  #plurals = $derived(new Intl.PluralRules(this.language));

  async start(): Promise<void> {
    await this.choose(preferred(), false);
  }

  async choose(language: Language, keep = true): Promise<void> {
    const words = new Map<string, string | Plural>();
    if (language !== "en") {
      const wanted = Object.entries(files).filter(([path]) => path.startsWith(`./${language}/`));
      for (const [path, load] of wanted) {
        for (const [key, value] of named(path, (await load()).default)) words.set(key, value);
      }
    }
    this.#words = words;
    this.language = language;
    document.documentElement.lang = language;
    document.documentElement.dir = direction(language);
    if (keep) localStorage.setItem("language", language);
  }

  has(key: string): boolean {
    return base.has(key);
  }

  text(key: string, values: Values = {}): string {
    const found = this.#words.get(key) ?? base.get(key);
    if (found === undefined) return key;
    let pattern: string;
    if (typeof found === "string") pattern = found;
    else pattern = found[this.#plurals.select(Number(values.n ?? 0))] ?? found.other ?? key;
    return pattern.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
  }
}

export const i18n = new I18n();

/** The words for a key, in the language in use. */
export function t(key: string, values?: Values): string {
  return i18n.text(key, values);
}

/** Words for a code of the node (`lists.state-filed`), or the code itself, for codes newer than this console. */
export function coded(prefix: string, code: string | null | undefined): string {
  if (!code) return "";
  const key = `${prefix}-${code}`;
  return i18n.has(key) ? t(key) : code;
}

const statuses = import.meta.glob<string>("./*/frame.json", { eager: true, import: "status" });

/** How far a translation was checked: `source`, `draft` or `reviewed`; it stands in the language's frame.json. */
export function statusOf(language: Language): string {
  return statuses[`./${language}/frame.json`] ?? "draft";
}
