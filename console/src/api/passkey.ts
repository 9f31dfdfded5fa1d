/** Passkeys: the browser's part of WebAuthn. The node makes the challenge and checks the answer. */
import { post } from "./client";
import type { Session } from "../state/session.svelte";

interface Asked {
  challenge: string;
  options: unknown;
}

interface WithJson {
  parseCreationOptionsFromJSON(options: unknown): PublicKeyCredentialCreationOptions;
  parseRequestOptionsFromJSON(options: unknown): PublicKeyCredentialRequestOptions;
}

/** Browsers make passkeys for names only, and only where they know how to read the node's options. */
export function passkeysWork(): boolean {
  const named = !/^[\d.]+$|^\[/.test(location.hostname);
  return named && isSecureContext && typeof PublicKeyCredential === "function" && "parseRequestOptionsFromJSON" in PublicKeyCredential;
}

const json = (): WithJson => PublicKeyCredential as unknown as WithJson;

/** Signs in, or unlocks, by `path` (`session/passkey` or `session/unlock`). */
export async function signWithPasskey(path: string): Promise<Session> {
  const asked = await post<Asked>("session/passkey/options");
  const credential = (await navigator.credentials.get({ publicKey: json().parseRequestOptionsFromJSON(asked.options) })) as PublicKeyCredential;
  return post<Session>(path, { challenge: asked.challenge, credential: credential.toJSON() });
}

/** Makes a passkey for the officer who is signed in. */
export async function addPasskey(name: string): Promise<void> {
  const asked = await post<Asked>("passkeys/options");
  const credential = (await navigator.credentials.create({ publicKey: json().parseCreationOptionsFromJSON(asked.options) })) as PublicKeyCredential;
  await post("passkeys", { challenge: asked.challenge, credential: credential.toJSON(), name });
}
