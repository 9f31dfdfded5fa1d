/** Who sits here. `unknown` until the node has answered once. */
import { endReading, get, NodeError, post, remove, whenRefused, type Schemas } from "../api/client";

export type Session = Schemas["Session"];

const AGAIN_MS = 1_000;

/** Whether asking again can help: no answer, or a node that is too busy or has no room, has refused nothing. */
function canHelp(error: unknown): boolean {
  return error instanceof NodeError && (error.status === 0 || error.status >= 500);
}

class SessionState {
  who = $state.raw<Session | null>(null);
  known = $state(false);
  ended = $state(false); // there was a session, and it ended
  #locking = false; // this window has been locked, and the node may not know yet
  // the other windows of this browser are told at once: what they asked the node meanwhile, it would refuse
  readonly #windows = new BroadcastChannel("locked");

  get locked(): boolean {
    return this.who?.locked ?? false;
  }

  may(action: Session["actions"][number]): boolean {
    return this.who?.actions.includes(action) ?? false;
  }

  async start(): Promise<void> {
    whenRefused((error) => this.#refused(error));
    this.#windows.onmessage = () => this.toldLocked();
    try {
      this.who = await get<Session>("session");
    } catch (error) {
      if (!(error instanceof NodeError) || error.status !== 401) throw error;
    } finally {
      this.known = true;
    }
  }

  signedIn(who: Session): void {
    this.ended = false;
    this.who = who;
    this.known = true;
  }

  /** What the node says of the session: another window of this browser may have locked or unlocked it, or signed somebody else in. */
  heard(who: Session): void {
    if (!this.who || this.#locking) return;
    // what stands here was another officer's: nothing of it may be left, drafts half written least of all
    if (who.name !== this.who.name || who.party !== this.who.party) location.reload();
    else if (JSON.stringify(who) !== JSON.stringify(this.who)) this.who = who;
  }

  /** Asks the node who sits here, because something says that it has changed. */
  async again(): Promise<void> {
    try {
      this.heard(await get<Session>("session"));
    } catch {
      // ended: the screen has been told; no answer: the stream will ask again
    }
  }

  /** The node, or another window, says that the session is locked. */
  toldLocked(): void {
    if (!this.who || this.who.locked) return;
    this.who = { ...this.who, locked: true };
    endReading();
  }

  /** Locks the screen at once, and the session as soon as the node can be reached: until then a page loaded anew would be open. */
  async lock(): Promise<void> {
    if (this.locked) return; // nobody's hand has been here since
    this.toldLocked();
    this.#windows.postMessage(0);
    this.#locking = true;
    try {
      while (this.who?.locked) {
        try {
          this.signedIn(await post<Session>("session/lock"));
          return;
        } catch (error) {
          if (!canHelp(error)) return; // it has ended or is locked, and the screen has been told
          await new Promise((done) => setTimeout(done, AGAIN_MS));
        }
      }
    } finally {
      this.#locking = false;
    }
  }

  /** Leaves the screen at once, and ends the session as soon as the node can be reached, unless somebody signs in before. */
  async signOut(): Promise<void> {
    this.who = null;
    endReading();
    while (this.who === null) {
      try {
        await remove("session");
        return;
      } catch (error) {
        if (!canHelp(error)) return; // it had ended already
        await new Promise((done) => setTimeout(done, AGAIN_MS));
      }
    }
  }

  #refused(error: NodeError): void {
    if (error.status === 423) this.toldLocked();
    if (error.status === 401) {
      this.ended = this.who !== null;
      this.who = null;
    }
  }
}

export const session = new SessionState();
