/**
 * Whether a filing that was not answered is in the node's record. A new id is taken once only, and an amendment raises the
 * version, so looking first means that nothing is filed twice.
 */
import { readExact } from "./exact";
import { geojsonIn, sameNotice } from "./draft";

export type Settled = "filed" | "absent" | "other";

/**
 * @param sent the document that was sent
 * @param before the version that was amended; 0 for a new notice
 * @param answer what the node says of the notice, as text; null when it knows none of that id
 * @param waitingVersion a version that the node has taken and not yet signed, as its picture says
 */
export function settle(sent: string, before: number, answer: string | null, waitingVersion: number | null): Settled {
  if (answer === null) return "absent";
  const detail = readExact(answer) as { version?: unknown; state?: unknown };
  const version = Number(detail.version ?? 0);
  // what waits for its line has no content to compare; the id is ours, and the version is the one that was sent
  if (waitingVersion !== null && waitingVersion === before + 1) return "filed";
  if (version <= before) return "absent";
  const held = geojsonIn(answer);
  if (held === null) return detail.state === "waiting" && before === 0 ? "filed" : "other";
  return version === before + 1 && sameNotice(sent, held) ? "filed" : "other";
}
