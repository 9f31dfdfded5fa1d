import { describe, expect, it } from "vitest";
import { readPage as readText } from "../../../scripts/page";
import { VIEWS } from "../registry";
import { type Page, pageNamed, PAGES, readPage, search } from "./pages";

const files = import.meta.glob<string>("../../help/en/*.md", { eager: true, query: "?raw", import: "default" });
const texts = Object.fromEntries(Object.entries(files).map(([path, text]) => [/([^/]+)\.md$/.exec(path)![1]!, text]));
const pictures = Object.keys(import.meta.glob("../../help/pictures/*.png"));

describe("help pages", () => {
  it("every page in the list is a file, and every file is in the list", () => {
    expect(Object.keys(texts).toSorted()).toEqual([...PAGES].toSorted());
  });

  it("every view leads to a page that explains it", () => {
    for (const view of VIEWS) {
      if (view.id !== "help") expect(pageNamed(view.id) === view.id || view.hidden, view.id).toBe(true);
    }
  });

  it("an address that names no page leads to the first one", () => {
    expect(pageNamed("")).toBe("first-watch");
    expect(pageNamed("no-such-page")).toBe("first-watch");
  });

  it("every link inside the help leads to a page or a view", () => {
    for (const [name, text] of Object.entries(texts)) {
      for (const [, place] of text.matchAll(/\]\(([^)]+)\)/g)) {
        if (place!.startsWith("../pictures/")) continue;
        const page = /^#\/help\/([a-z-]+)$/.exec(place!)?.[1];
        expect(page !== undefined && PAGES.some((one) => one === page), `${name}: ${place}`).toBe(true);
      }
    }
  });

  it("every picture exists and is described in words", () => {
    for (const [name, text] of Object.entries(texts)) {
      for (const [, alt, path] of text.matchAll(/!\[([^\]]*)\]\(([^)]+)\)/g)) {
        expect(alt!.length, `${name}: ${path}`).toBeGreaterThan(20);
        expect(pictures, name).toContain(`../../help/${path!.replace("../", "")}`);
      }
    }
  });

  it("a page begins with its one first-order heading", () => {
    for (const [name, text] of Object.entries(texts)) expect(text.match(/^# /gm)?.length, name).toBe(1);
  });

  it("a page that nobody has translated is shown in English and says so", async () => {
    const found = await readPage("words", "ar", {});
    expect(found.language).toBe("en");
    expect(found.page.title).toBe("Words");
  });

  it("a translated page is shown in its language", async () => {
    const page: Page = { title: "Слова", html: "", words: "" };
    const found = await readPage("words", "ru", { "../../help/ru/words.md": () => Promise.resolve(page) });
    expect(found).toEqual({ page, language: "ru" });
  });
});

describe("readPage of the build", () => {
  it("splits the markup where the address of a picture stands", () => {
    const page = readText("# Title\n\none ![a](../pictures/a.png) two\n\n![b](../pictures/b.png)\n");
    expect(page.title).toBe("Title");
    expect(page.pictures).toEqual(["../pictures/a.png", "../pictures/b.png"]);
    expect(page.html).toHaveLength(3);
    expect(page.html[0]).toMatch(/<img src="$/);
    expect(page.html[1]).toMatch(/^" alt="a">/);
  });

  it("gives the words without markup", () => {
    expect(readText("# T\n\n**Ask** & `look`\n").words).toBe("Ask & look");
  });

  it("refuses a page without a heading", () => {
    expect(() => readText("no heading")).toThrow("must begin with #");
  });
});

describe("search", () => {
  const at = (title: string, words: string): Page => ({ title, html: "", words });
  const pages = {
    "../../help/en/notices.md": at("Notices", "A notice says where. LATE means later than agreed."),
    "../../help/en/alarms.md": at("Alarms", "A notice may raise one."),
  };

  it("finds pages that hold every word, whatever its case", () => {
    expect(search("late AGREED", {}, pages).map((one) => one.name)).toEqual(["notices"]);
    expect(search("late alarm", {}, pages)).toEqual([]);
  });

  it("puts pages with the word in the title first", () => {
    expect(search("alarm notice", {}, pages).map((one) => one.name)).toEqual(["alarms"]);
    expect(search("notice", { alarms: "x" }, pages).map((one) => one.name)).toEqual(["notices", "alarms"]);
  });

  it("finds a page by its title in the officer's language", () => {
    expect(search("тревог", { alarms: "Тревоги" }, pages).map((one) => one.name)).toEqual(["alarms"]);
  });

  it("shows what stands around the word", () => {
    expect(search("later", {}, pages)[0]!.excerpt).toContain("LATE means later than agreed.");
  });

  it("finds nothing when nothing is asked", () => {
    expect(search("  ", {}, pages)).toEqual([]);
  });
});
