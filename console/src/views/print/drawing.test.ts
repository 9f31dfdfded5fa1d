import { describe, expect, it } from "vitest";
import { type Drawn, layOut, near } from "./drawing";

const square = (lon: number, lat: number, side = 1): Drawn => ({
  kind: "area",
  side: "first",
  polygons: [[[[lon, lat], [lon + side, lat], [lon + side, lat + side], [lon, lat + side], [lon, lat]]]],
});

function numbers(d: string): number[] {
  return (d.match(/-?\d+(\.\d+)?/g) ?? []).map(Number);
}

describe("the drawing on paper", () => {
  it("keeps everything inside its box", () => {
    for (const shapes of [[square(30, 33)], [square(30, 33), square(34, 30, 0.1)], [square(-60, -80, 4)]]) {
      const drawing = layOut(shapes, 400, 200)!;
      for (const path of drawing.paths) {
        const all = numbers(path.d);
        all.forEach((value, i) => {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(i % 2 ? 200 : 400);
        });
      }
    }
  });

  it("shows north above and east to the right", () => {
    const [path] = layOut([square(30, 33)], 400, 200)!.paths;
    const [x1, y1, x2, , , y3] = numbers(path!.d);
    expect(x2!).toBeGreaterThan(x1!);
    expect(y3!).toBeLessThan(y1!);
  });

  it("does not tear an area apart at 180 degrees", () => {
    const split: Drawn = {
      kind: "area",
      side: "first",
      polygons: [[[[179, 1], [180, 1], [180, 2], [179, 1]]], [[[-180, 1], [-179, 1], [-180, 2], [-180, 1]]]],
    };
    const drawing = layOut([split], 400, 200)!;
    const xs = numbers(drawing.paths[0]!.d).filter((_, i) => i % 2 === 0);
    expect(Math.max(...xs) - Math.min(...xs)).toBeCloseTo(400 * 0.84, 0); // two degrees fill the box, not 358
    expect(drawing.south.map((mark) => mark.text)).toContainEqual(expect.stringMatching(/^180°00′[EW]$/));
    expect(near(-179, 179)).toBe(181);
  });

  it("has a scale that fits a degree of latitude to sixty miles", () => {
    const drawing = layOut([square(0, -0.5)], 400, 200)!;
    const ys = numbers(drawing.paths[0]!.d).filter((_, i) => i % 2 === 1);
    const perNm = (Math.max(...ys) - Math.min(...ys)) / 60;
    expect(drawing.scale.length / Number.parseFloat(drawing.scale.text)).toBeCloseTo(perNm, 1);
    expect(drawing.scale.length).toBeLessThanOrEqual(400 / 3);
  });

  it("draws a circle as wide as its radius says and a corridor as wide as twice its half width", () => {
    const circle: Drawn = { kind: "circle", side: "asked", at: [35, 0], radiusNm: 30 };
    const corridor: Drawn = { kind: "corridor", side: "second", points: [[34, 0], [36, 0]], halfWidthNm: 15 };
    const drawing = layOut([circle, corridor, square(34, -0.5, 2)], 400, 400)!;
    const perNm = drawing.scale.length / Number.parseFloat(drawing.scale.text);
    expect(numbers(drawing.paths[0]!.d)[2]).toBeCloseTo(30 * perNm, 0);
    expect(drawing.paths[1]!.width).toBeCloseTo(30 * perNm, 0);
  });

  it("of a single point is still a drawing, and of nothing none", () => {
    expect(layOut([{ kind: "circle", side: "first", at: [35, 35], radiusNm: 0.01 }], 400, 200)!.paths).toHaveLength(1);
    expect(layOut([], 400, 200)).toBeNull();
  });
});
