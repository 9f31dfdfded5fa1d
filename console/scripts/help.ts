import { marked } from "marked";
import { readFileSync } from "node:fs";
import type { Plugin } from "vite";

/** Makes `import page from "./x.md"` give `{title, html}`; pictures in it are bundled like any other file. */
export function helpPages(): Plugin {
  return {
    name: "help-pages",
    enforce: "pre",
    load(id) {
      if (!id.endsWith(".md")) return null;
      const text = readFileSync(id, "utf8");
      const title = /^# (.+)$/m.exec(text)?.[1] ?? "";
      const pictures: string[] = [];
      const html = (marked.parse(text, { async: false }) as string).replace(/src="(\.[^"]+)"/g, (_, path: string) => {
        pictures.push(path);
        return `src="\${p${pictures.length - 1}}"`;
      });
      const imports = pictures.map((path, i) => `import p${i} from ${JSON.stringify(`${path}?url`)};`).join("\n");
      const body = html.replace(/\\/g, "\\\\").replace(/`/g, "\\`").replace(/\$\{(?!p\d)/g, "\\${");
      return `${imports}\nexport default { title: ${JSON.stringify(title)}, html: \`${body}\` };`;
    },
  };
}
