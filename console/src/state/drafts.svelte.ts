/**
 * What an officer was writing, kept in this browser until it is sent: a crash or a reload loses nothing. A draft belongs to one
 * officer of one party; it is read only while that officer's session stands and is not locked.
 */
import { hasContent, type NoticeDraft } from "../views/filing/draft";

const OLD_MS = 30 * 86_400_000; // a draft of last month describes nothing that will still be flown

export interface Kept {
  saved: string; // RFC 3339, the node's clock
  draft: NoticeDraft;
}

export interface Owner {
  party: string;
  name: string;
}

function isDraft(value: unknown): value is NoticeDraft {
  const draft = value as NoticeDraft | null;
  return draft?.v === 1 && typeof draft.id === "string" && Array.isArray(draft.pieces) && Array.isArray(draft.to);
}

export class Drafts {
  constructor(private readonly storage: Storage) {}

  /** Keeps a draft, or forgets it when nothing is in it; false when the browser would not. */
  keep(owner: Owner, slot: string, draft: NoticeDraft, now: number): boolean {
    if (!hasContent(draft)) {
      this.forget(owner, slot);
      return true;
    }
    const kept: Kept = { saved: new Date(now).toISOString(), draft };
    try {
      this.storage.setItem(this.#key(owner, slot), JSON.stringify(kept));
      return true;
    } catch {
      return false; // full, or storage is switched off
    }
  }

  /** The draft of this officer, or null; what cannot be read or is too old is thrown away. */
  find(owner: Owner, slot: string, now: number): Kept | null {
    try {
      const kept = JSON.parse(this.storage.getItem(this.#key(owner, slot)) ?? "null") as Kept | null;
      if (kept && isDraft(kept.draft) && now - Date.parse(kept.saved) < OLD_MS) return kept;
      if (kept) this.forget(owner, slot);
    } catch {
      this.forget(owner, slot);
    }
    return null;
  }

  forget(owner: Owner, slot: string): void {
    try {
      this.storage.removeItem(this.#key(owner, slot));
    } catch {
      // storage is switched off, so nothing was kept
    }
  }

  /** `new`, or the id of the notice that is amended: each has a draft of its own. */
  #key(owner: Owner, slot: string): string {
    return `draft:${JSON.stringify([owner.party, owner.name, slot])}`;
  }
}

export const drafts = new Drafts(globalThis.localStorage);
