/** How positions are written in details; kept in this browser. */
import { type Notation, NOTATIONS } from "../../geo/position";

const KEPT = "notation";

class Written {
  notation = $state<Notation>("dms");

  constructor() {
    const kept = globalThis.localStorage?.getItem(KEPT) as Notation | null | undefined;
    if (kept && NOTATIONS.includes(kept)) this.notation = kept;
  }

  choose(notation: Notation): void {
    this.notation = notation;
    localStorage.setItem(KEPT, notation);
  }
}

export const writing = new Written();
