import { describe, expect, it } from "vitest";
import {
  areaOf,
  documentOf,
  draftFromNotice,
  emptyDraft,
  emptyPiece,
  featureOf,
  findGaps,
  geojsonIn,
  hasContent,
  isPlain,
  movedShape,
  type NoticeDraft,
  placeOfError,
  sameNotice,
  shapeFromFeature,
  suggestId,
  textOf,
} from "./draft";
import { handlesOf, movedTo, without } from "../../map/hand";
import { writeExact } from "./exact";

const NOW = Date.parse("2015-12-12T13:00:00Z");

// every kind of shape, a hole, geodesic edges, seconds, and numbers that a careless reader would change
const FEATURES = [
  '{"type":"Feature","geometry":{"type":"Point","coordinates":[35.014,35.521000001]},"properties":{"id":"A-7","exercise":true,"activity":"patrol","start":"2015-12-12T14:00:00Z","end":"2015-12-12T15:00:00Z","lower":{"value":0,"unit":"ft","datum":"MSL"},"upper":{"value":250,"unit":"FL","datum":"STD"},"edges":"planar","precedence":"routine","region":"Coast \\"1\\"","text":"line\\nline","radius_m":18520.0001}}',
  '{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[35.0,35.0],[36.0,35.0],[36.0,36.0],[35.0,35.0]],[[35.5,35.1],[35.6,35.1],[35.6,35.2],[35.5,35.1]]]},"properties":{"id":"A-7","exercise":true,"activity":"patrol","start":"2015-12-12T14:00:05Z","end":"2015-12-12T15:00:00.250000Z","lower":{"value":1000.5,"unit":"m","datum":"AGL"},"upper":{"value":3000,"unit":"m","datum":"WGS84"},"edges":"geodesic","precedence":"routine","region":"Coast \\"1\\"","text":"line\\nline"}}',
  '{"type":"Feature","geometry":{"type":"LineString","coordinates":[[-1e-7,10],[1,11]]},"properties":{"id":"A-7","exercise":true,"activity":"patrol","start":"2015-12-12T14:00:00Z","end":"2015-12-12T15:00:00Z","lower":{"value":10,"unit":"ft","datum":"STD"},"upper":{"value":20,"unit":"FL","datum":"STD"},"edges":"planar","precedence":"routine","region":"Coast \\"1\\"","text":"line\\nline","half_width_m":4630}}',
  '{"type":"Feature","geometry":{"type":"MultiPolygon","coordinates":[[[[179,1],[180,1],[180,2],[179,1]]],[[[-180,1],[-179,1],[-180,2],[-180,1]]]]},"properties":{"id":"A-7","exercise":true,"activity":"patrol","start":"2015-12-12T14:00:00Z","end":"2015-12-12T15:00:00Z","lower":{"value":10,"unit":"ft","datum":"STD"},"upper":{"value":20,"unit":"FL","datum":"STD"},"edges":"planar","precedence":"routine","region":"Coast \\"1\\"","text":"line\\nline"}}',
  '{"type":"Feature","geometry":{"type":"LineString","coordinates":[[35.0,10],[35.0,10],[36.5,11]]},"properties":{"id":"A-7","exercise":true,"activity":"patrol","start":"2015-12-12T14:00:00Z","end":"2015-12-12T15:00:00.250000Z","lower":{"value":10,"unit":"ft","datum":"STD"},"upper":{"value":20,"unit":"FL","datum":"STD"},"edges":"planar","precedence":"routine","region":"Coast \\"1\\"","text":"line\\nline","radius_m":926.5,"times":["2015-12-12T14:00:00Z","2015-12-12T14:10:00Z","2015-12-12T15:00:00.250000Z"]}}',
];
const DOCUMENT = `{"type":"FeatureCollection","features":[${FEATURES.join(",")}]}`;
const ANSWER = `{"id":"north:A-7","version":3,"party":"north","to":["south","east"],"geojson":${DOCUMENT}}`;

function ready(): NoticeDraft {
  const draft = emptyDraft("A-1", ["south"], false);
  draft.pieces = [
    {
      ...emptyPiece(),
      shape: { kind: "circle", at: ["35.0140", "35.521"], size: "10.50", unit: "nm" },
      lower: { value: "0", level: "ft MSL" },
      upper: { value: "250", level: "FL" },
      start: "14:00",
      end: "+1 h",
    },
  ];
  return draft;
}

describe("amending", () => {
  it("gives the identical document when nothing of what was loaded is changed", () => {
    const draft = draftFromNotice(ANSWER)!;
    expect(documentOf(draft, NOW)).toBe(DOCUMENT);
    expect(geojsonIn(ANSWER)).toBe(DOCUMENT);
  });

  it("keeps the id, the version and who was told", () => {
    const draft = draftFromNotice(ANSWER)!;
    expect(draft.id).toBe("A-7");
    expect(draft.amends).toEqual({ id: "north:A-7", version: 3, to: ["south", "east"] });
    expect(draft.exercise).toBe(true);
    expect(findGaps(draft, NOW)).toEqual([]);
  });

  it("is not possible where the content is gone", () => {
    expect(draftFromNotice('{"id":"north:A-7","version":3,"to":[],"geojson":null}')).toBeNull();
  });

  it("survives being kept as JSON between two sittings", () => {
    const draft = JSON.parse(JSON.stringify(draftFromNotice(ANSWER))) as NoticeDraft;
    expect(documentOf(draft, NOW)).toBe(DOCUMENT);
  });
});

describe("the way of somebody who moves", () => {
  const geometry = { type: "LineString" as const, coordinates: [[0, 0], [1, 0]] };
  const times = ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00.5Z"];
  const moving = shapeFromFeature({ type: "Feature", geometry, properties: { radius_m: 5, times } })!;

  it("is no corridor, and a corridor is no way", () => {
    expect(moving).toEqual({ kind: "moving", points: [["0", "0"], ["1", "0"]], times, size: "5", unit: "m" });
    expect(shapeFromFeature({ type: "Feature", geometry, properties: { half_width_m: 5 } })?.kind).toBe("corridor");
  });

  it("is nothing without a time for each position", () => {
    expect(shapeFromFeature({ type: "Feature", geometry, properties: { radius_m: 5, times: times.slice(1) } })).toBeNull();
    expect(shapeFromFeature({ type: "Feature", geometry, properties: { radius_m: 5, times: [...times, times[1]] } })).toBeNull();
  });

  it("begins and ends with its times, whatever stands in the fields of another shape", () => {
    const draft = ready();
    draft.pieces = [{ ...draft.pieces[0]!, shape: moving, start: "14:00", end: "" }];
    expect(findGaps(draft, NOW)).toEqual([]);
    const { properties } = (JSON.parse(documentOf(draft, NOW)) as { features: { properties: Record<string, unknown> }[] }).features[0]!;
    expect([properties.start, properties.end, properties.times, properties.radius_m]).toEqual([times[0], times[1], times, 5]);
    expect(properties).not.toHaveProperty("half_width_m");
  });

  it("is said as GeoJSON when it is edited as text, with every digit and time", () => {
    const text = textOf(moving);
    expect(text.split("\n").length).toBeGreaterThan(4);
    expect(shapeFromFeature(JSON.parse(text) as Parameters<typeof shapeFromFeature>[0])).toEqual(moving);
  });

  it("keeps its times and its size when a position is moved on the map", () => {
    const before = { ...moving, size: "2.50", unit: "nm" as const } as typeof moving;
    const feature = featureOf(before);
    const [vertex, ...rest] = handlesOf(feature);
    expect(rest.map((handle) => handle.kind)).toEqual(["vertex"]); // no new position between: it would have no time
    expect(without({ ...feature, geometry: { type: "LineString", coordinates: [[0, 0], [1, 0], [2, 0]] } }, vertex!)).toBeNull();
    expect(movedShape(before, movedTo(feature, vertex!, [0, 1]))).toEqual({ ...before, points: [["0", "1"], ["1", "0"]] });
  });

  it("is another notice when only a time differs", () => {
    expect(sameNotice(DOCUMENT, DOCUMENT.replace("T14:10:00Z", "T14:11:00Z"))).toBe(false);
  });
});

describe("the document", () => {
  it("holds numbers as the officer typed them and times in Z", () => {
    expect(documentOf(ready(), NOW)).toBe(
      '{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[35.0140,35.521]},' +
        '"properties":{"id":"A-1","exercise":false,"activity":"patrol","start":"2015-12-12T14:00:00Z","end":"2015-12-12T15:00:00Z",' +
        '"lower":{"value":0,"unit":"ft","datum":"MSL"},"upper":{"value":250,"unit":"FL","datum":"STD"},"edges":"planar",' +
        '"precedence":"routine","radius_nm":10.50}}]}',
    );
  });

  it("leaves out words that nobody wrote", () => {
    const draft = ready();
    draft.text = "  ";
    expect(documentOf(draft, NOW)).not.toContain("text");
  });
});

describe("what is missing", () => {
  it("is everything in an empty form but what has a good default", () => {
    const gaps = findGaps(emptyDraft("A-1", ["south"], false), NOW).map((one) => one.gap);
    expect(gaps).toEqual(["shape", "start", "end", "lower", "upper"]);
  });

  it("names an id the node would refuse, nobody to tell, a size that is no number, and an end before the start", () => {
    const draft = ready();
    draft.id = "-A";
    draft.to = [];
    draft.pieces[0]!.shape = { kind: "circle", at: ["1", "2"], size: "", unit: "nm" };
    draft.pieces[0]!.end = "121300Z DEC 15";
    expect(findGaps(draft, NOW)).toEqual([
      { gap: "id", piece: null },
      { gap: "to", piece: null },
      { gap: "size", piece: 0 },
      { gap: "order", piece: 0 },
    ]);
  });

  it("is nothing when all is there", () => expect(findGaps(ready(), NOW)).toEqual([]));
});

describe("a draft", () => {
  it("is worth keeping once something was written, and not before", () => {
    expect(hasContent(emptyDraft("A-1", ["south"], true))).toBe(false);
    expect(hasContent({ ...emptyDraft("A-1", ["south"], true), text: "x" })).toBe(true);
    expect(hasContent(ready())).toBe(true);
  });

  it("gives a new volume the band and times of the one before it and no shape", () => {
    const [first] = ready().pieces;
    const next = emptyPiece(first);
    expect(next.shape).toBeNull();
    expect([next.start, next.end, next.upper]).toEqual([first!.start, first!.end, first!.upper]);
    next.upper.value = "1";
    expect(first!.upper.value).toBe("250");
  });
});

describe("one notice in two writings", () => {
  const sent = documentOf(ready(), NOW);
  const answered = sent.replace('"radius_nm":10.50', '"radius_m":19446').replace("35.0140", "35.014");

  it("is the same notice when only the numbers are written otherwise", () => expect(sameNotice(sent, answered)).toBe(true));

  it.each([
    ["35.521]", "35.521000001]"],
    ["19446", "19446.0001"],
    ['"value":250', '"value":251'],
    ["14:00:00Z", "14:00:01Z"],
    ['"patrol"', '"transit"'],
    ['"exercise":false', '"exercise":true'],
  ])("is another notice when %s reads %s", (from, to) => expect(sameNotice(sent, answered.replace(from, to))).toBe(false));

  it("is never the same as what cannot be read", () => expect(sameNotice(sent, "nothing")).toBe(false));
});

describe("shapes", () => {
  it("come from the map's hand with every digit it gave", () => {
    const drawn = { type: "Feature" as const, geometry: { type: "Point", coordinates: [35.123456, -7.5] }, properties: { radius_nm: 2.25 } };
    expect(shapeFromFeature(drawn)).toEqual({ kind: "circle", at: ["35.123456", "-7.5"], size: "2.25", unit: "nm" });
  });

  it("go to the map in nautical miles whatever they were typed in", () => {
    const shape = { kind: "corridor" as const, points: [["1", "2"], ["3", "4"]] as [string, string][], size: "1852", unit: "m" as const };
    expect(featureOf(shape).properties).toEqual({ half_width_nm: 1 });
    expect(writeExact(areaOf(shape))).toContain('"half_width_m":1852');
  });

  it("as text say latitude first and leave out the position that closes a ring", () => {
    const shape = shapeFromFeature({
      type: "Feature",
      geometry: { type: "Polygon", coordinates: [[[35, 10], [36, 10], [36, 11], [35, 10]]] },
      properties: {},
    })!;
    expect(textOf(shape)).toBe("10, 35\n10, 36\n11, 36");
    expect(isPlain(shape)).toBe(true);
  });

  it("as text carry their size in the words that the node reads", () => {
    expect(textOf({ kind: "circle", at: ["35", "10"], size: "5.0", unit: "nm" })).toBe("10, 35\nradius 5.0 NM");
    expect(textOf({ kind: "corridor", points: [["35", "10"], ["36", "10"]], size: "900", unit: "m" })).toBe("10, 35\n10, 36\nhalf-width 900 m");
    expect(textOf({ kind: "circle", at: ["35", "10"], size: "", unit: "nm" })).toBe("10, 35");
  });

  it("that were moved on the map keep the size that was typed, and take one that was drawn anew", () => {
    const typed = { kind: "circle" as const, at: ["35", "10"] as const, size: "9260.0", unit: "m" as const };
    const moved = featureOf(typed, { key: "k" });
    moved.geometry = { type: "Point", coordinates: [36, 11] };
    expect(movedShape(typed, moved)).toEqual({ ...typed, at: ["36", "11"] });
    moved.properties.radius_nm = 7.25;
    expect(movedShape(typed, moved)).toEqual({ kind: "circle", at: ["36", "11"], size: "7.25", unit: "nm" });
  });

  it("of another kind than a notice can have are none", () => {
    expect(shapeFromFeature({ type: "Feature", geometry: { type: "MultiPoint", coordinates: [] }, properties: {} })).toBeNull();
  });
});

describe("a suggested id", () => {
  it("is the next free one of the series in use", () => {
    expect(suggestId([])).toBe("A-1");
    expect(suggestId(["A-9", "A-11", "A-2", "X"])).toBe("A-12");
    expect(suggestId(["N007", "N008"])).toBe("N009");
    expect(suggestId(["B-4", "A-1", "A-2"])).toBe("A-3");
  });
});

describe("an error's field", () => {
  it("leads to the volume and the part it is about", () => {
    expect(placeOfError("features[2].properties.lower.value")).toEqual({ piece: 2, part: "lower" });
    expect(placeOfError("features[0].geometry.coordinates[0][3]")).toEqual({ piece: 0, part: "geometry" });
    expect(placeOfError("properties.id")).toEqual({ piece: null, part: "id" });
    expect(placeOfError(null)).toEqual({ piece: null, part: "" });
  });
});
