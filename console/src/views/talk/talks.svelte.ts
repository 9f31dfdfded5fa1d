/** Conversation as the node has it: asked for again when the node says that something was said. */
import { get, NodeError, type Schemas } from "../../api/client";
import { i18n } from "../../i18n/index.svelte";
import { picture } from "../../state/picture.svelte";

export type TalkRow = Schemas["TalkRow"];
export type TalkDetail = Schemas["TalkDetail"];
export type MessageRow = Schemas["MessageRow"];
export type CallRow = Schemas["CallRow"];
export type DraftRow = Schemas["DraftRow"];
export type WaitingRow = Schemas["WaitingRow"];
export type Spoken = Schemas["Spoken"];

const PAUSE_MS = 400; // a burst of entries is one question

/** Grows when anything of conversation may have changed: its own entries, and what waits for a line. */
export function talkMark(): string {
  const head = picture.head;
  return `${head?.epoch} ${head?.heard?.talks ?? head?.revision} ${head?.lines.map((line) => `${line.state}${line.waiting}`).join()}`;
}

/** What is asked for again, at once the first time and then no oftener than the pause. */
class Asked {
  #number = 0;
  #last = -PAUSE_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;

  later(ask: () => void): void {
    clearTimeout(this.#timer);
    const wait = this.#last + PAUSE_MS - performance.now();
    if (wait <= 0) this.#now(ask);
    else this.#timer = setTimeout(() => this.#now(ask), wait);
  }

  #now(ask: () => void): void {
    this.#last = performance.now();
    ask();
  }

  /** A number that is the newest until the next question. */
  begin(): number {
    return (this.#number += 1);
  }

  isNewest(number: number): boolean {
    return number === this.#number;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#number += 1;
  }
}

/** All threads, the drafts, and the call records. */
export class TalkList {
  rows = $state.raw<readonly TalkRow[]>([]);
  drafts = $state.raw<readonly DraftRow[]>([]);
  calls = $state.raw<readonly CallRow[]>([]);
  /** Where the older threads begin, null where all are here. */
  next = $state.raw<number | null>(null);
  started = $state(false);
  error = $state.raw<unknown>(null);
  readonly #asked = new Asked();

  again(): void {
    this.#asked.later(() => void this.#load());
  }

  /** Load older threads behind those that are here. */
  async more(): Promise<void> {
    if (this.next === null) return;
    const number = this.#asked.begin();
    try {
      const list = await get<Schemas["TalkList"]>("talks", { language: i18n.language, before: this.next });
      if (!this.#asked.isNewest(number)) return;
      const known = new Set(this.rows.map((row) => row.key));
      this.rows = [...this.rows, ...list.talks.filter((row) => !known.has(row.key))];
      this.next = list.next;
      this.error = null;
    } catch (error) {
      if (this.#asked.isNewest(number)) this.error = error;
    }
  }

  async #load(): Promise<void> {
    const number = this.#asked.begin();
    try {
      const [list, calls] = await Promise.all([get<Schemas["TalkList"]>("talks", { language: i18n.language }), get<Schemas["CallList"]>("calls")]);
      if (!this.#asked.isNewest(number)) return;
      this.rows = list.talks;
      this.next = list.next;
      this.drafts = list.drafts;
      this.calls = calls.calls;
      this.started = true;
      this.error = null;
    } catch (error) {
      if (this.#asked.isNewest(number)) this.error = error;
    }
  }

  close(): void {
    this.#asked.stop();
  }
}

/**
 * Reading one thread. To read what a peer said is to tell the peer that a desk has opened it: that is asked of the node when an officer
 * opened the thread or says to have read what came since; whatever else loads it asks without telling.
 */
export class Thread {
  detail = $state.raw<TalkDetail | null>(null);
  error = $state.raw<unknown>(null);
  /** Nothing was said in it yet. */
  unknown = $state(false);
  #id = "";
  readonly #asked = new Asked();

  open(id: string, tell: boolean): void {
    if (id !== this.#id) {
      this.detail = null;
      this.unknown = false;
      this.error = null;
    }
    this.#id = id;
    void this.load(tell);
  }

  again(): void {
    if (this.#id) this.#asked.later(() => void this.load(false));
  }

  async load(tell: boolean): Promise<void> {
    const [id, number] = [this.#id, this.#asked.begin()];
    try {
      const detail = await get<TalkDetail>(`talks/${encodeURIComponent(id)}`, { language: i18n.language, opened: tell });
      if (!this.#asked.isNewest(number)) return;
      this.detail = detail;
      this.error = null;
      this.unknown = false;
    } catch (error) {
      if (!this.#asked.isNewest(number)) return;
      this.unknown = error instanceof NodeError && error.code === "thread-unknown";
      this.error = this.unknown ? null : error;
      if (this.unknown) this.detail = null;
    }
  }

  close(): void {
    this.#asked.stop();
    this.#id = "";
    this.detail = null;
    this.error = null;
    this.unknown = false;
  }
}
