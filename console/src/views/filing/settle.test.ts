import { describe, expect, it } from "vitest";
import { settle } from "./settle";

const notice = (value: string): string =>
  `{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[35,36]},"properties":{"id":"A-1","exercise":false,` +
  `"activity":"patrol","start":"2015-12-12T14:00:00Z","end":"2015-12-12T15:00:00Z","lower":{"value":0,"unit":"ft","datum":"MSL"},` +
  `"upper":{"value":${value},"unit":"FL","datum":"STD"},"edges":"planar","precedence":"routine","radius_m":1852}}]}`;
const SENT = notice("250.0").replace('"radius_m":1852', '"radius_nm":1');
const held = (version: number, geojson: string | null): string => `{"id":"north:A-1","version":${version},"state":"filed","geojson":${geojson}}`;

describe("a filing that was not answered", () => {
  it("was not filed when the node knows no such notice", () => expect(settle(SENT, 0, null, null)).toBe("absent"));
  it("was filed when the node holds the same notice", () => expect(settle(SENT, 0, held(1, notice("250")), null)).toBe("filed"));
  it("met another notice of that id when the contents differ", () => expect(settle(SENT, 0, held(1, notice("240")), null)).toBe("other"));
  it("was filed when it waits for its line", () => {
    expect(settle(SENT, 0, '{"id":"north:A-1","version":1,"state":"waiting","geojson":null}', 1)).toBe("filed");
    expect(settle(SENT, 0, '{"id":"north:A-1","version":1,"state":"waiting","geojson":null}', null)).toBe("filed");
  });
});

describe("an amendment that was not answered", () => {
  it("was not filed while the version is the one it amends", () => expect(settle(SENT, 2, held(2, notice("250")), null)).toBe("absent"));
  it("was filed when the next version says the same", () => expect(settle(SENT, 2, held(3, notice("250")), null)).toBe("filed"));
  it("was filed when the next version waits for its line", () => expect(settle(SENT, 2, held(2, notice("240")), 3)).toBe("filed"));
  it("was overtaken when the next version says something else, or there are two", () => {
    expect(settle(SENT, 2, held(3, notice("240")), null)).toBe("other");
    expect(settle(SENT, 2, held(4, notice("250")), null)).toBe("other");
  });
});
