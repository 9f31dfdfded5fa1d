/** A help page as it is written, made into markup; used by the build only. */
import { marked } from "marked";

export interface ReadPage {
  title: string;
  /** Pieces of markup; between piece i and the next stands the address of picture i. */
  html: string[];
  pictures: string[];
  words: string;
}

export function readPage(text: string): ReadPage {
  const title = /^# (.+)$/m.exec(text)?.[1];
  if (title === undefined) throw new Error("a help page has no heading; it must begin with # and its title");
  const html = (marked.parse(text.replace(/^# .+$/m, ""), { async: false }) as string)
    .replace(/<th>/g, '<th scope="col">')
    .trim();
  const pictures: string[] = [];
  const pieces = html.split(/(?<=<img src=")(\.[^"]+)(?=")/);
  const markup = pieces.filter((piece, i) => i % 2 === 0 || !pictures.push(piece));
  return { title, html: markup, pictures, words: plain(html) };
}

function plain(html: string): string {
  const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
  return html
    .replace(/<[^>]+>/g, " ")
    .replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => entities[name]!)
    .replace(/\s+/g, " ")
    .trim();
}
