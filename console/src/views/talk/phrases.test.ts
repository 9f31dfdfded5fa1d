import { describe, expect, test } from "vitest";
import { found, type PhraseRow } from "./phrases.svelte";

const DRAFT = { review: "draft", reviewed_by: null, reviewed_on: null } as const;
const rows: PhraseRow[] = [
  { id: "courtesy.thanks", group: "courtesy", slots: [], text: "شكرًا لكم.", ...DRAFT },
  { id: "cease.cease-now", group: "cease", slots: ["place"], text: "أوقفوا ذلك فورًا عند {place}.", ...DRAFT },
];
const ids = (asked: string, also?: ReadonlyMap<string, string>): string[] => found(rows, asked, also).map((row) => row.id);

describe("looking for a phrase", () => {
  test("it is found in the officer's own language, without its vowel signs", () => {
    expect(ids("شكرا")).toEqual(["courtesy.thanks"]);
  });

  test("it is found by its id, and by its words in another language", () => {
    expect(ids("cease")).toEqual(["cease.cease-now"]);
    expect(ids("thank you", new Map([["courtesy.thanks", "Thank you."]]))).toEqual(["courtesy.thanks"]);
  });

  test("every word must be there, and nothing asked finds all", () => {
    expect(ids("cease thanks")).toEqual([]);
    expect(ids("  ")).toHaveLength(2);
  });
});
