import { describe, expect, test } from "vitest";
import { inert } from "./inert";

/** Every character that has no picture of its own, and can change how its neighbours are read. */
const UNSEEN = /[\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}\p{Cc}]|[\u070f\u{13430}-\u{1343f}]/u;

describe("what a peer wrote", () => {
  test("no character without a picture is left as it is, but line breaks and tabs", () => {
    const left: string[] = [];
    for (let code = 0; code <= 0x10ffff; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const one = String.fromCodePoint(code);
      if (UNSEEN.test(one) && inert(one) === one) left.push(one);
    }
    expect(left).toEqual(["\t", "\n"]);
  });

  test("an invisible character is shown by its number", () => {
    expect(inert("a\u202eb\u{1bca0}c")).toBe("a⟨U+202E⟩b⟨U+1BCA0⟩c");
  });

  test("half of a surrogate pair is shown, also where the cut has made it", () => {
    expect(inert("\ud83d")).toBe("⟨U+D83D⟩");
    expect(inert("a\u{1f600}", 2)).toBe("a⟨U+D83D⟩…");
  });

  test("what a letter carries does not climb over the lines above", () => {
    expect(inert(`a${"\u0301".repeat(3_000)}`)).toBe(`a${"\u0301".repeat(3)}`);
  });

  test("a text is cut, and says so", () => {
    expect(inert("x".repeat(10), 4)).toBe("xxxx…");
  });
});
