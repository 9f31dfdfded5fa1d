/** Room on the map for words: each is placed only where none stands yet. */

const CELL_PX = 64;

export class Room {
  #cells = new Map<number, [number, number, number, number][]>();

  /** Takes a rectangle if all of it is free. */
  take(x: number, y: number, width: number, height: number): boolean {
    const cells = [];
    for (let i = Math.floor(x / CELL_PX); i <= Math.floor((x + width) / CELL_PX); i++) {
      for (let j = Math.floor(y / CELL_PX); j <= Math.floor((y + height) / CELL_PX); j++) cells.push(i * 65_536 + j);
    }
    for (const cell of cells) {
      for (const [left, top, right, foot] of this.#cells.get(cell) ?? []) {
        if (x < right && x + width > left && y < foot && y + height > top) return false;
      }
    }
    const taken: [number, number, number, number] = [x, y, x + width, y + height];
    for (const cell of cells) {
      const there = this.#cells.get(cell);
      if (there) there.push(taken);
      else this.#cells.set(cell, [taken]);
    }
    return true;
  }
}
