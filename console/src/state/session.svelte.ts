/** Who sits here. `unknown` until the node has answered once. */
import { get, NodeError, post, remove, whenRefused, type Schemas } from "../api/client";

export type Session = Schemas["Session"];

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

  async lock(): Promise<void> {
    if (this.who) this.who = { ...this.who, locked: true }; // the screen first, whatever the node says
    this.signedIn(await post<Session>("session/lock"));
  }

  async signOut(): Promise<void> {
    try {
      await remove("session");
    } finally {
      this.who = null;
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
