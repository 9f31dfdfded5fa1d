/** The one place that talks to the node. Errors carry the node's code and words. */
import type { components } from "./schema";

export type Schemas = components["schemas"];

export class NodeError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field: string | null = null,
    readonly hint: string | null = null,
  ) {
    super(message);
  }
}

/** The node could not be reached at all, or did not answer in time. */
export class NoNode extends NodeError {
  constructor() {
    super(0, "no-node", "the node does not answer");
  }
}

const ANSWER_MS = 15_000;

type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

interface Options {
  method?: "GET" | "POST" | "DELETE";
  query?: Query;
  json?: unknown;
  body?: string;
  type?: string;
}

let onRefused: (error: NodeError) => void = () => {};
let reading = new AbortController();

/** Called for every answer that says the session has ended or is locked. */
export function whenRefused(listener: (error: NodeError) => void): void {
  onRefused = listener;
}

/**
 * Ends every question that is still to be answered: a screen that was just locked must show neither what it asked for nor that it was
 * refused. What was said to the node is not taken back.
 */
export function endReading(): void {
  reading.abort();
  reading = new AbortController();
}

export function address(path: string, query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    if (Array.isArray(value)) for (const one of value) params.append(name, String(one));
    else params.set(name, String(value));
  }
  const text = params.toString();
  return `/api/v1/${path}${text ? `?${text}` : ""}`;
}

async function ask(path: string, options: Options): Promise<Response> {
  const body = options.json === undefined ? options.body : JSON.stringify(options.json);
  const method = options.method ?? "GET";
  const asked = method === "GET" ? reading.signal : null;
  let response: Response;
  try {
    response = await fetch(address(path, options.query), {
      method,
      headers: {
        "X-Detente": "console",
        ...(body === undefined ? {} : { "Content-Type": options.type ?? "application/json" }),
      },
      ...(body === undefined ? {} : { body }),
      credentials: "same-origin",
      cache: "no-store",
      signal: asked ? AbortSignal.any([asked, AbortSignal.timeout(ANSWER_MS)]) : AbortSignal.timeout(ANSWER_MS),
    });
  } catch {
    throw asked?.aborted ? new NodeError(423, "locked", "the screen was locked before the node answered") : new NoNode();
  }
  if (response.ok) return response;
  const found = (await response.json().catch(() => ({}))) as { error?: Record<string, unknown> } & Record<string, unknown>;
  const error = (found.error ?? found) as Record<string, unknown>;
  const text = (name: string): string | null => (typeof error[name] === "string" ? (error[name] as string) : null);
  const failure = new NodeError(
    response.status,
    text("code") ?? `http-${response.status}`,
    text("message") ?? response.statusText,
    text("field"),
    text("hint"),
  );
  if (response.status === 401 || response.status === 423) onRefused(failure);
  throw failure;
}

export async function get<T>(path: string, query?: Query): Promise<T> {
  return (await (await ask(path, query ? { query } : {})).json()) as T;
}

export async function post<T>(path: string, json: unknown = {}, query?: Query): Promise<T> {
  return (await (await ask(path, { method: "POST", json, ...(query ? { query } : {}) })).json()) as T;
}

/** Posts a document as it stands: a notice's GeoJSON must not be read and written again on the way. */
export async function postText<T>(path: string, body: string, query?: Query): Promise<T> {
  return (await (await ask(path, { method: "POST", body, ...(query ? { query } : {}) })).json()) as T;
}

export async function remove<T>(path: string): Promise<T> {
  return (await (await ask(path, { method: "DELETE" })).json()) as T;
}

export async function getText(path: string): Promise<string> {
  return (await ask(path, {})).text();
}
