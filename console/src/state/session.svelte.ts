/** Who sits here. `unknown` until the node has answered once. */
import { get, NodeError, NoNode, post, remove, whenRefused, type Schemas } from "../api/client";

export type Session = Schemas["Session"];

const AGAIN_MS = 1_000;

class SessionState {
  who = $state.raw<Session | null>(null);
  known = $state(false);
  ended = $state(false); // there was a session, and it ended

  get locked(): boolean {
    return this.who?.locked ?? false;
  }

  may(action: Session["actions"][number]): boolean {
    return this.who?.actions.includes(action) ?? false;
  }

  async start(): Promise<void> {
    whenRefused((error) => this.#refused(error));
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

  /** Locks the screen at once, and the session as soon as the node can be reached: until then a page loaded anew would be open. */
  async lock(): Promise<void> {
    if (this.who) this.who = { ...this.who, locked: true };
    while (this.who?.locked) {
      try {
        this.signedIn(await post<Session>("session/lock"));
        return;
      } catch (error) {
        if (!(error instanceof NoNode)) return; // refused: it has ended or is locked, and the screen has been told
        await new Promise((done) => setTimeout(done, AGAIN_MS));
      }
    }
  }

  /** Leaves the screen at once, and ends the session as soon as the node can be reached, unless somebody signs in before. */
  async signOut(): Promise<void> {
    this.who = null;
    while (this.who === null) {
      try {
        await remove("session");
        return;
      } catch (error) {
        if (!(error instanceof NoNode)) return; // it had ended already
        await new Promise((done) => setTimeout(done, AGAIN_MS));
      }
    }
  }

  #refused(error: NodeError): void {
    if (error.status === 423 && this.who) this.who = { ...this.who, locked: true };
    if (error.status === 401) {
      this.ended = this.who !== null;
      this.who = null;
    }
  }
}

export const session = new SessionState();
