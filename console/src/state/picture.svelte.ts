/** What the node says, kept up to date by its stream: every view reads from here. */
import { address, get, type Schemas } from "../api/client";
import { clock } from "./clock.svelte";
import { session, type Session } from "./session.svelte";

export type Picture = Schemas["Picture"];
export type Notice = Schemas["NoticeRow"];
export type Conflict = Schemas["ConflictRow"];
export type Alarm = Schemas["AlarmRow"];
export type Line = Schemas["LineRow"];
export type Urgent = Schemas["UrgentRow"];
export type Heard = Schemas["Heard"];
export type Tick = Schemas["Tick"];

const SILENT_MS = 3_500; // three ticks missed; with the looks between, the screen says so within five seconds
const LOOK_MS = 500;
const RETRY_MS = 1_000;

class PictureState {
  /** Everything but the rows. */
  head = $state.raw<Omit<Picture, "notices" | "conflicts" | "alarms" | "urgent"> | null>(null);
  notices = $state.raw<ReadonlyMap<string, Notice>>(new Map());
  conflicts = $state.raw<ReadonlyMap<string, Conflict>>(new Map());
  alarms = $state.raw<readonly Alarm[]>([]);
  /** Cease requests and emergencies, of both sides, by id. */
  urgent = $state.raw<ReadonlyMap<string, Urgent>>(new Map());
  counts = $state.raw<Tick["alarms"]>({ emergency: 0, warning: 0, caution: 0, over: 0 });
  live = $state(false);
  started = $state(false); // the first picture has come
  lastHeard = $state(0); // milliseconds since the epoch, this computer's clock
  /** Long enough without a word that the screen must say so (and not just since it was opened). */
  waited = $state(false);
  /** Ids of the rows that changed last, for whoever draws only those; null: all. */
  changed = $state.raw<{ notices: string[]; conflicts: string[] } | null>(null);

  #names = $derived(new Map(this.head?.agreement?.parties.map((one) => [one.party, one.name || one.party])));
  #source: EventSource | null = null;
  #watch: Worker | null = null;
  #since = 0;
  #epoch = "";
  #heard = 0;
  #retry = 0;
  #running = false;

  /** A party's name as the agreement has it, or its id. */
  nameOf(party: string | null | undefined): string {
    return this.#names.get(party ?? "") ?? party ?? "";
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#heard = performance.now();
    // a worker's timer keeps time in a hidden tab, where the page's own is slowed to once a minute
    this.#watch = new Worker(new URL("./watchdog.worker.ts", import.meta.url), { type: "module" });
    this.#watch.onmessage = () => this.#look();
    this.#watch.postMessage(LOOK_MS);
    this.#open();
  }

  stop(): void {
    this.#running = false;
    this.#source?.close();
    this.#source = null;
    this.#watch?.terminate();
    this.#watch = null;
    this.live = false;
    this.waited = false;
    this.counts = { emergency: 0, warning: 0, caution: 0, over: 0 };
    this.head = null;
    this.forget();
  }

  /** Forgets all content: a locked screen keeps none in its memory. */
  forget(): void {
    this.#since = 0;
    this.started = false;
    this.notices = new Map();
    this.conflicts = new Map();
    this.alarms = [];
    this.urgent = new Map();
    this.changed = null;
  }

  /** Opens the stream anew: after unlocking, when it must carry content again. */
  restart(): void {
    this.#source?.close();
    this.#source = null;
    this.#open();
  }

  async #open(): Promise<void> {
    if (!this.#running || this.#source) return;
    const source = new EventSource(address("stream", { since: this.#since, epoch: this.#epoch || undefined }));
    this.#source = source;
    source.addEventListener("picture", (event) => this.#take(JSON.parse((event as MessageEvent<string>).data) as Picture));
    source.addEventListener("locked", () => session.toldLocked());
    source.addEventListener("tick", (event) => this.#tick(JSON.parse((event as MessageEvent<string>).data) as Tick));
    source.onerror = () => {
      source.close(); // the browser would ask again with the revision of the first time
      if (this.#source === source) this.#source = null;
      this.#retry = performance.now() + RETRY_MS;
    };
  }

  #look(): void {
    if (!this.#running) return;
    const silent = performance.now() - this.#heard > SILENT_MS;
    if (silent) {
      this.live = false;
      this.waited = true;
    }
    if (silent && this.#source && this.#source.readyState === EventSource.OPEN) {
      this.#source.close(); // open and mute: a machine that sleeps, a cable that was pulled
      this.#source = null;
      this.#retry = performance.now();
    }
    if (!this.#source && performance.now() >= this.#retry) {
      this.#retry = performance.now() + RETRY_MS;
      // asked first, because an event stream does not tell why it was refused
      get<Session>("session").then(
        (who) => {
          session.heard(who);
          void this.#open();
        },
        () => {},
      );
    }
  }

  #hear(now: string, label: string): void {
    this.#heard = performance.now();
    this.lastHeard = Date.now();
    this.live = true;
    this.waited = false;
    clock.told(now, label);
  }

  #tick(tick: Tick): void {
    this.#hear(tick.now, tick.clock);
    this.counts = tick.alarms;
    if (this.head) this.head = { ...this.head, now: tick.now, revision: tick.revision, lines: tick.lines, ledger: tick.ledger, heard: tick.heard };
  }

  #take(picture: Picture): void {
    if (session.locked) {
      void session.again(); // unlocked by another window of this browser, if the node says so too
      return;
    }
    this.#hear(picture.now, picture.clock);
    const anew = picture.since === 0 || picture.epoch !== this.#epoch;
    if (anew && picture.since !== 0) {
      this.#epoch = picture.epoch; // the ledger was replaced: nothing we hold counts
      this.#since = 0;
      this.restart();
      return;
    }
    const { notices, conflicts, alarms, urgent, ...head } = named(picture);
    const nextNotices = new Map(anew ? [] : this.notices);
    for (const row of notices) nextNotices.set(row.id, row);
    const nextConflicts = new Map(anew ? [] : this.conflicts);
    for (const row of conflicts) nextConflicts.set(row.id, row);
    const byId = new Map(anew ? [] : this.alarms.map((row) => [row.id, row]));
    // an alarm of a line is in every picture until it is acknowledged; the node has forgotten one that is not
    for (const row of this.alarms) if (row.kind === "line" && !row.acknowledged) byId.delete(row.id);
    for (const row of alarms) byId.set(row.id, row);
    this.#epoch = picture.epoch;
    this.#since = picture.revision;
    this.head = head;
    if (anew || notices.length) this.notices = nextNotices;
    if (anew || conflicts.length) this.conflicts = nextConflicts;
    if (anew || alarms.length || byId.size !== this.alarms.length) this.alarms = rankAlarms([...byId.values()]);
    // what waits for a line is in every picture: one that is missing has been signed, and has its own row now
    const kept = anew ? [] : [...this.urgent].filter(([id]) => !id.startsWith("waiting:"));
    if (anew || urgent.length || kept.length !== this.urgent.size) this.urgent = new Map([...kept, ...urgent.map((row) => [row.id, row] as const)]);
    this.changed = anew ? null : { notices: notices.map((row) => row.id), conflicts: conflicts.map((row) => row.id) };
    this.started = true;
  }
}

/** The same with every party's name on one line: an agreement holds what each party called itself. */
function named(picture: Picture): Picture {
  const { agreement } = picture;
  if (!agreement) return picture;
  const parties = agreement.parties.map((one) => ({ ...one, name: one.name.replace(/\s+/g, " ").trim() || one.party }));
  return { ...picture, agreement: { ...agreement, parties } };
}

/** Not acknowledged first, then those whose cause still is, then rank, then newest, then id. */
export function rankAlarms(alarms: Alarm[]): Alarm[] {
  return alarms.sort(
    (a, b) =>
      Number(a.acknowledged !== null) - Number(b.acknowledged !== null) ||
      Number(a.over) - Number(b.over) ||
      a.rank - b.rank ||
      (a.raised < b.raised ? 1 : a.raised > b.raised ? -1 : 0) ||
      (a.id < b.id ? -1 : 1),
  );
}

export const picture = new PictureState();
