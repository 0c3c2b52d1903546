/** Sends one message to one channel, over HTTP, within bounded time. */
import { USER_AGENT } from "../version.ts";
import type { Channel, Post } from "./channels.ts";

/** One attempt, as `backup.alerts` records it. */
export interface Attempt {
  outcome: "sent" | "failed";
  /** HTTP status; null without an answer. */
  status: number | null;
  error: string | null;
  milliseconds: number;
}

/** How long a receiver may take to answer. */
const ANSWER_MS = 5000;
/** Waits before the second and third try; after that the database tries again. */
const WAITS_MS = [1000, 3000];
const ERROR_LENGTH = 200;
/** Bytes that are read of an answer: more than is ever shown. */
const READ_BYTES = 4096;

export interface Sending {
  answerMs?: number;
  waitsMs?: number[];
  onAttempt?: (attempt: Attempt) => Promise<void>;
}

/**
 * Sends until the receiver accepts, up to three times. `render` renders the request each time, because its timestamp is
 * signed. Returns the last attempt; throws only what `onAttempt` throws.
 */
export async function send(
  channel: Channel,
  render: () => Post,
  { answerMs = ANSWER_MS, waitsMs = WAITS_MS, onAttempt = async () => {} }: Sending = {},
): Promise<Attempt> {
  for (let tries = 0;; tries++) {
    const attempt = await post(render(), answerMs, channel.secrets);
    await onAttempt(attempt);
    if (attempt.outcome === "sent" || !passes(attempt.status) || tries >= waitsMs.length) return attempt;
    await new Promise((resolve) => setTimeout(resolve, waitsMs[tries]));
  }
}

/** A receiver that refuses would refuse again a second later. */
function passes(status: number | null): boolean {
  return status === null || status === 408 || status === 429 || status >= 500;
}

async function post({ url, headers, body }: Post, answerMs: number, secrets: string[]): Promise<Attempt> {
  const begin = performance.now();
  let status: number | null = null;
  let error: string | null;
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": USER_AGENT, ...headers },
      body,
      // This address was checked. One that the receiver redirects to was not, and would get the key of the mail API.
      redirect: "manual",
      signal: AbortSignal.timeout(answerMs),
    });
    status = response.status;
    error = response.ok ? null : `HTTP ${status}${await beginning(response)}`;
    await response.body?.cancel().catch(() => {});
  } catch (cause) {
    error = reasonOf(cause, answerMs);
  }
  return {
    outcome: error === null ? "sent" : "failed",
    status,
    error: error && withoutSecrets(error, secrets).slice(0, ERROR_LENGTH),
    milliseconds: Math.round(performance.now() - begin),
  };
}

/** Returns the beginning of a receiver's refusal, after a colon; nothing when it does not arrive. */
async function beginning(response: Response): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  try {
    for await (const bytes of response.body ?? []) {
      text += decoder.decode(bytes, { stream: true });
      if (text.length > READ_BYTES) break;
    }
  } catch { /* the status tells enough */ }
  const line = text.replace(/\s+/g, " ").trim();
  return line === "" ? "" : `: ${line}`;
}

/** Describes the cause in other words, because the runtime's messages hold the address. */
function reasonOf(cause: unknown, answerMs: number): string {
  if ((cause as Error).name === "TimeoutError") return `no answer within ${answerMs / 1000} s`;
  const text = `${cause} ${(cause as Error).cause ?? ""}`;
  if (/dns|lookup/i.test(text)) return "the name of its host is not known";
  if (/refused/i.test(text)) return "the connection was refused";
  if (/certificate|tls|handshake/i.test(text)) return "no trusted TLS connection came about";
  return "the connection failed";
}

/**
 * Hides secrets that a receiver repeats. The secret of an address is in its path or query, so their longer words are
 * hidden too.
 */
function withoutSecrets(text: string, secrets: string[]): string {
  const hidden = secrets.flatMap((secret) => {
    if (!URL.canParse(secret)) return [secret];
    const { pathname, search } = new URL(secret);
    const words = `${pathname}${search}`.split(/[/?&=]/).filter((word) => word.length >= 8);
    return [secret, pathname + search, ...(pathname.length > 1 ? [pathname] : []), ...words];
  });
  return hidden.reduce((clean, secret) => clean.replaceAll(secret, "…"), text);
}
