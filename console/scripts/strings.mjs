// Words as a test: `npm run strings` fails on words that stand in the code, on keys that no file has, on words nobody uses, and on
// translations that lack a key, a placeholder or a plural form. `--draft` only lists what is not translated yet.
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "svelte/compiler";

const LANGUAGES = { ru: /\p{Script=Cyrillic}/u, he: /\p{Script=Hebrew}/u, ar: /\p{Script=Arabic}/u };

// What may stand in the code, because it is the same in every language.
const SAME_EVERYWHERE = new Set(
  [
    ["EXERCISE", "detente"], // the word on the air; the name
    ["NM", "km", "m", "ft", "FL"], // units, as on charts
    ["MSL", "AGL", "WGS84", "STD", "SFC"], // datums
    ["UTC", "DTG"], // time
    ["MGRS", "DMS", "WGS", "GeoJSON", "KML", "NOTAM", "SHA", "A4"], // notations and formats
    ["Alt", "Ctrl", "Shift", "Enter", "Esc", "Tab", "F1"], // what is printed on keys
  ].flat(),
);
const LETTER = /^[A-Z]$/; // a key, a hemisphere, an item of a NOTAM
// Words that a translation may leave as they are: what is typed in that form, and names.
const SAME_WORDS = new Set(["filing.time-hint", "map.sources"]);
const CODE_ELEMENTS = new Set(["code", "samp", "kbd"]); // commands and keys: typed as they stand
const SPOKEN_ATTRIBUTES = new Set(
  ["alt", "title", "placeholder", "label", "text", "heading", "hint", "caption", "abbr"].concat(
    ["aria-label", "aria-description", "aria-roledescription", "aria-valuetext", "aria-placeholder"],
  ),
);
const SPOKEN_PROPERTIES = new Set(["textContent", "innerText", "innerHTML", "title", "ariaLabel", "placeholder", "alt"]);
const MARKUP_FROM_TEXT = new Set(["views/Help.svelte"]); // its pages are files of ours, made into markup by the build
// Forms that stand for one number only, so the number may be a word: in Russian "one" is 21 too, and must show it.
const EXACT = { en: ["one"], ru: [], he: ["one", "two"], ar: ["zero", "one", "two"] };
const PLURALS = ["zero", "one", "two", "few", "many", "other"];
const HIDDEN = /[\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/u; // marks of direction are put in by the code, with isolates; a soft hyphen may say where a long word of the rail breaks
const KEY = /^([a-z]+)\.([a-z0-9-]+)$/;

/** Reads every room of words of one language: a map from `room.key` to a text or an object of plural forms. */
function readWords(folder, language) {
  const words = new Map();
  let names = [];
  try {
    names = readdirSync(join(folder, language)).filter((name) => name.endsWith(".json"));
  } catch {
    // a language without a folder lacks every key, which is told key by key
  }
  for (const name of names) {
    const room = basename(name, ".json");
    for (const [key, value] of Object.entries(JSON.parse(readFileSync(join(folder, language, name), "utf8")))) words.set(`${room}.${key}`, value);
  }
  return words;
}

const forms = (value) => (typeof value === "string" ? { other: value } : value);
const placeholders = (text) => new Set([...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]));
const letters = (text) => text.replace(/\{\w+\}/g, " ").match(/[\p{L}\p{N}]*\p{L}[\p{L}\p{N}]*/gu) ?? [];
const strange = (text) => letters(text).filter((word) => !SAME_EVERYWHERE.has(word) && !LETTER.test(word));
const differs = (one, other) => [...one].filter((item) => !other.has(item));

/** What is wrong with one translated value. */
function* checkValue(language, key, english, value) {
  if (typeof value !== "string" && (value === null || typeof value !== "object")) return yield "must be a text or an object of plural forms";
  const plural = typeof value === "object";
  const wanted = new Set(Object.values(forms(english)).flatMap((text) => [...placeholders(text)]));
  if (typeof english === "object" && !plural) yield "must be an object of plural forms, as in English";
  if (plural && typeof english === "string" && !wanted.has("n")) yield "is an object of plural forms; English counts nothing there";
  if (plural) {
    const needed = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    const missing = needed.filter((form) => !(form in value));
    if (missing.length) yield `lacks the plural ${missing.join(", ")}`;
    const unknown = Object.keys(value).filter((form) => !PLURALS.includes(form));
    if (unknown.length) yield `has the plural ${unknown.join(", ")}; it must be one of ${PLURALS.join(", ")}`;
  }
  for (const [form, text] of Object.entries(forms(value))) {
    const where = plural ? ` (${form})` : "";
    if (typeof text !== "string") {
      yield `is no text${where}`;
      continue;
    }
    const found = placeholders(text);
    const lost = differs(wanted, found).filter((name) => !(plural && name === "n" && EXACT[language].includes(form)));
    if (lost.length) yield `lacks {${lost.join("}, {")}}${where}`;
    const added = differs(found, wanted);
    if (added.length) yield `has {${added.join("}, {")}}${where}, which English has not`;
    if (HIDDEN.test(text)) yield `holds a character that cannot be seen${where}`;
    if (text !== text.trim()) yield `begins or ends with a space${where}`;
    const source = Object.values(forms(english)).join(" ");
    const translatable = language !== "en" && strange(source).length > 0 && !SAME_WORDS.has(key);
    if (translatable && !LANGUAGES[language].test(text)) yield `is not translated${where}: ${JSON.stringify(text)}`;
  }
}

/** Compares every language with English. */
export function checkTranslations(folder, languages = Object.keys(LANGUAGES)) {
  const english = readWords(folder, "en");
  const problems = [];
  const missing = [];
  for (const [key, value] of english) for (const why of checkValue("en", key, value, value)) problems.push(`en ${key} ${why}`);
  if (english.get("frame.status") !== "source") problems.push('en frame.status must be "source"');
  for (const language of languages) {
    const words = readWords(folder, language);
    for (const [key, value] of english) {
      if (key === "frame.status") continue;
      if (!words.has(key)) missing.push([language, key]);
      else for (const why of checkValue(language, key, value, words.get(key))) problems.push(`${language} ${key} ${why}`);
    }
    for (const key of words.keys()) if (!english.has(key)) problems.push(`${language} ${key} is not in English`);
    if (!["draft", "reviewed"].includes(words.get("frame.status"))) problems.push(`${language} frame.status must be "draft" or "reviewed"`);
  }
  return { problems, missing };
}

/** A line for each room of a language that lacks words. */
function gathered(missing) {
  const rooms = new Map();
  for (const [language, key] of missing) {
    const [room, name] = key.split(".");
    const at = `${language} ${room}`;
    rooms.set(at, [...(rooms.get(at) ?? []), name]);
  }
  return [...rooms].map(([at, names]) => `${at}: not translated: ${names.join(", ")}`);
}

function* children(node) {
  for (const [name, value] of Object.entries(node)) {
    if (name === "metadata" || name === "loc") continue;
    if (Array.isArray(value)) for (const item of value) if (item && typeof item === "object") yield item;
    if (value && typeof value === "object" && !Array.isArray(value)) yield value;
  }
}

/** The literals that an expression may show: through conditions, sums and templates, not through calls. */
function* shown(node) {
  if (!node) return;
  if (node.type === "Literal" && typeof node.value === "string") yield { text: node.value, node };
  else if (node.type === "TemplateLiteral") {
    for (const quasi of node.quasis) yield { text: quasi.value.cooked ?? "", node: quasi };
    for (const part of node.expressions) yield* shown(part);
  } else if (node.type === "ConditionalExpression") {
    yield* shown(node.consequent);
    yield* shown(node.alternate);
  } else if (node.type === "LogicalExpression" || (node.type === "BinaryExpression" && node.operator === "+")) {
    yield* shown(node.left);
    yield* shown(node.right);
  } else if (node.type === "TSAsExpression" || node.type === "TSNonNullExpression") yield* shown(node.expression);
}

/** The keys that a call may ask for: `[text, whole]`, where a template gives its beginning. */
function* asked(node) {
  if (!node) return;
  if (node.type === "Literal" && typeof node.value === "string") yield [node.value, true];
  else if (node.type === "TemplateLiteral") yield [node.quasis[0].value.cooked ?? "", node.expressions.length === 0];
  else if (node.type === "ConditionalExpression") {
    yield* asked(node.consequent);
    yield* asked(node.alternate);
  }
}

/** What is wrong in one source file; adds to `used` the keys (and `used.begun` the beginnings of keys) it names. */
export function checkSource(path, text, english, used) {
  const rooms = new Set([...english.keys()].map((key) => key.split(".")[0]));
  const svelte = path.endsWith(".svelte");
  const opening = svelte ? "" : '<script module lang="ts">';
  const ast = parse(svelte ? text : `${opening}${text}</script>`, { modern: true, filename: path });
  const problems = [];
  const tell = (node, why) => {
    const line = text.slice(0, Math.max(0, (node.start ?? 0) - opening.length)).split("\n").length;
    problems.push(`${path}:${line}: ${why}`);
  };
  const spoken = (node, said) => {
    if (KEY.test(said) && english.has(said)) return;
    const words = strange(said);
    if (words.length) tell(node, `${JSON.stringify(said.trim())} stands in the code; it must come from t("room.key")`);
  };

  function visitCall(node) {
    const name = node.callee.name ?? node.callee.property?.name;
    const [first, second] = node.arguments;
    if (name === "setAttribute" && SPOKEN_ATTRIBUTES.has(first?.value)) for (const one of shown(second)) spoken(one.node, one.text);
    if (name === "fillText" || name === "strokeText") for (const one of shown(first)) spoken(one.node, one.text);
    if (name !== "t" && name !== "coded") return;
    for (const [key, whole] of asked(first)) {
      if (name === "coded") used.begun.add(`${key}-`);
      else if (!whole) used.begun.add(key);
      const begun = name === "coded" ? `${key}-` : key;
      if (name === "t" && whole) {
        used.add(key);
        if (!english.has(key)) tell(node, `t(${JSON.stringify(key)}): no such words in en`);
        else checkGiven(node, key, second);
      } else if (begun && ![...english.keys()].some((one) => one.startsWith(begun))) tell(node, `no words in en begin with ${JSON.stringify(begun)}`);
    }
  }

  function checkGiven(node, key, values) {
    const wanted = new Set(Object.values(forms(english.get(key))).flatMap((one) => [...placeholders(one)]));
    if (typeof english.get(key) === "object") wanted.add("n");
    if (values && values.type !== "ObjectExpression") return;
    const properties = values?.properties ?? [];
    if (properties.some((property) => property.type === "SpreadElement")) return;
    const given = new Set(properties.map((property) => property.key.name ?? property.key.value));
    const lost = differs(wanted, given);
    if (lost.length) tell(node, `t(${JSON.stringify(key)}) must be given {${lost.join("}, {")}}`);
  }

  function visit(node, element) {
    switch (node.type) {
      case "Text":
        if (!CODE_ELEMENTS.has(element)) spoken(node, node.data ?? "");
        return;
      case "ExpressionTag":
        if (!CODE_ELEMENTS.has(element)) for (const one of shown(node.expression)) spoken(one.node, one.text);
        break;
      case "StyleDirective": // a length or a transformation is not said to anybody
        for (const part of Array.isArray(node.value) ? node.value : [node.value]) if (part?.expression) visit(part.expression, element);
        return;
      case "HtmlTag":
        if (!MARKUP_FROM_TEXT.has(path.replace(/^.*?src\//, ""))) tell(node, "{@html}: text must not become markup");
        break;
      case "Attribute": {
        if (node.value === true) return;
        const parts = Array.isArray(node.value) ? node.value : [node.value];
        for (const part of parts) {
          if (SPOKEN_ATTRIBUTES.has(node.name)) {
            if (part.type === "Text") spoken(part, part.data);
            else for (const one of shown(part.expression)) spoken(one.node, one.text);
          }
          if (part.type === "Text") named(part, part.data);
          else visit(part.expression, element);
        }
        return;
      }
      case "AssignmentExpression":
        if (SPOKEN_PROPERTIES.has(node.left.property?.name)) for (const one of shown(node.right)) spoken(one.node, one.text);
        break;
      case "CallExpression":
        visitCall(node);
        break;
      case "ImportDeclaration":
      case "TSTypeAliasDeclaration":
      case "TSInterfaceDeclaration":
      case "TSTypeAnnotation":
      case "StyleSheet":
        return;
      case "Literal":
        if (typeof node.value === "string") named(node, node.value);
        return;
      case "TemplateLiteral":
        used.begun.add(node.quasis[0].value.cooked ?? "");
        break;
    }
    const inside = node.type === "RegularElement" ? node.name : (element ?? "");
    for (const child of children(node)) visit(child, inside);
  }

  // a key that is handed on as a text, such as the label of a key of the keyboard
  function named(node, said) {
    const found = KEY.exec(said);
    if (!found || !rooms.has(found[1])) return;
    used.add(said);
    used.begun.add(`${said}-`);
    const begins = [...english.keys()].some((key) => key.startsWith(`${said}-`));
    if (!english.has(said) && !begins) tell(node, `${JSON.stringify(said)}: no such words in en`);
  }

  for (const part of [ast.module?.content, ast.instance?.content, ast.fragment]) if (part) visit(part, "");
  return problems;
}

/** Checks all sources under a folder: what is wrong, and which words nobody uses. */
export function checkSources(folder, words) {
  const english = readWords(words, "en");
  const rooms = new Set([...english.keys()].map((key) => key.split(".")[0]));
  const used = new Set(["frame.status"]); // read by i18n itself
  used.begun = new Set();
  const problems = [];
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => /\.(svelte|ts)$/.test(path));
  for (const path of paths.sort()) {
    if (path.endsWith(".test.ts") || path.endsWith(".d.ts") || path.startsWith("i18n")) continue;
    try {
      problems.push(...checkSource(`src/${path}`, readFileSync(join(folder, path), "utf8"), english, used));
    } catch (error) {
      problems.push(`src/${path}: cannot be read: ${error.message}`);
    }
  }
  // a beginning counts where it names its room; an empty one would count for everything
  const begun = [...used.begun].filter((begin) => rooms.has(begin.split(".")[0]) && begin.includes("."));
  for (const key of english.keys()) {
    if (!used.has(key) && !begun.some((begin) => key.startsWith(begin))) problems.push(`en ${key} is used nowhere`);
  }
  return problems;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const draft = process.argv.includes("--draft");
  const at = process.argv.indexOf("--root"); // for tests: another folder than src
  const source = at > 0 ? process.argv[at + 1] : join(dirname(fileURLToPath(import.meta.url)), "..", "src");
  const words = join(source, "i18n");
  const { problems, missing } = checkTranslations(words);
  problems.push(...checkSources(source, words));
  for (const line of problems) console.error(line);
  for (const line of gathered(missing)) (draft ? console.log : console.error)(line);
  const wrong = problems.length + (draft ? 0 : missing.length);
  console.log(`strings: ${readWords(words, "en").size} words, ${problems.length} problems, ${missing.length} not translated`);
  process.exitCode = wrong ? 1 : 0;
}
