/** Puts a file that the node made on this computer. */
import { getText } from "../../api/client";

/** Saves an answer of the node byte for byte: a bundle that were read and written again would not verify. */
export async function saveAnswer(path: string, name: string): Promise<void> {
  const blob = new Blob([await getText(path)], { type: "application/octet-stream" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // some browsers read it after the click has returned
}
