/**
 * Reading a notice in full. To read a peer's notice is to tell the peer that a desk has opened it, so that is asked of the node once for
 * each version, when an officer opened it; whatever else loads it (a receipt came, the page is drawn again) asks without telling.
 */
import { get, NodeError, type Schemas } from "../../api/client";
import type { Notice } from "../../state/picture.svelte";
import type { HistoryRow } from "./history";

export type Detail = Schemas["NoticeDetail"];

export class Reading {
  detail = $state.raw<Detail | null>(null);
  rows = $state.raw<readonly HistoryRow[]>([]);
  error = $state.raw<unknown>(null);
  /** There is no such notice on this node. */
  unknown = $state(false);
  #id = "";
  #told = 0; // the newest version that was opened by somebody's own act
  #asked = 0;

  /** The version that came while this was open, and that nobody has said to have seen; 0: none. */
  unseen = $state(0);

  /** Opens a notice, by an officer's own act. */
  open(id: string): void {
    if (id !== this.#id) {
      this.detail = null;
      this.rows = [];
      this.#told = 0;
      this.#id = id;
    }
    this.unseen = 0;
    void this.#load(true);
  }

  /** The row has changed: reads again without telling anybody. */
  changed(row: Notice, peer: boolean): void {
    if (row.id !== this.#id || this.detail === null) return;
    if (peer && row.version > this.#told) this.unseen = row.version;
    void this.#load(false);
  }

  /** Forgets it: a locked screen, another view. */
  close(): void {
    this.#asked += 1;
    this.#id = "";
    this.detail = null;
    this.rows = [];
  }

  async #load(tell: boolean): Promise<void> {
    const [id, asked] = [this.#id, (this.#asked += 1)];
    const path = `notices/${encodeURIComponent(id)}`;
    try {
      const detail = await get<Detail>(path, { opened: tell });
      if (tell && id === this.#id) this.#told = Math.max(this.#told, detail.version);
      const { rows } = await get<Schemas["Timeline"]>(`${path}/timeline`);
      if (asked !== this.#asked) return;
      this.detail = detail;
      this.rows = rows;
      this.error = null;
      this.unknown = false;
      if (this.#told >= this.unseen) this.unseen = 0;
    } catch (error) {
      if (asked !== this.#asked) return;
      this.unknown = error instanceof NodeError && error.code === "notice-unknown";
      this.error = this.unknown ? null : error;
    }
  }
}
