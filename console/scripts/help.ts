import { readFileSync } from "node:fs";
import type { Plugin } from "vite";
import { readPage } from "./page";

/**
 * Makes `import page from "./x.md"` give `{title, html, words}`: the first heading, the rest as markup, and the same without markup
 * for searching. Pictures in it are bundled like any other file. Only files of this repository are read so, never anybody's text.
 */
export function helpPages(): Plugin {
  return {
    name: "help-pages",
    enforce: "pre",
    load(id) {
      if (!id.endsWith(".md")) return null;
      this.addWatchFile(id);
      const page = readPage(readFileSync(id, "utf8"));
      const imports = page.pictures.map((path, i) => `import p${i} from ${JSON.stringify(`${path}?url`)};`).join("\n");
      // the address of a picture is known only to the bundler, so it is put in by the module itself
      const html = page.html.map((part, i) => (i ? `p${i - 1} + ` : "") + JSON.stringify(part)).join(" + ");
      return `${imports}\nexport default { title: ${JSON.stringify(page.title)}, html: ${html}, words: ${JSON.stringify(page.words)} };`;
    },
  };
}
