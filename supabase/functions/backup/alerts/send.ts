/** One message to one channel, over HTTP, within bounded time. */
import type { Channel, Post } from "./channels.ts";

/** One attempt, as `backup.alerts` keeps it. */
export interface Attempt {
  outcome: "sent" | "failed";
  /** HTTP status; null when nothing answered. */
  status: number | null;
  error: string | null;
  milliseconds: number;
}

/** How long a receiver may take to answer. */
const ANSWER_MS = 5000;
/** Waits before the second and third try; what is still down then is tried again by the database. */
const WAITS_MS = [1000, 3000];
const ERROR_LENGTH = 200;
/** More of an answer than is ever shown. */
const READ_BYTES = 4096;

export interface Sending {
  answerMs?: number;
  waitsMs?: number[];
  onAttempt?: (attempt: Attempt) => Promise<void>;
}

/**
 * Sends until the receiver takes it, up to three times. `render` makes the request anew each time: its timestamp is signed.
 * Answers the last attempt; throws only what `onAttempt` throws.
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

/** A receiver that refuses gives the same answer a second later. */
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
      headers: { "content-type": "application/json", "user-agent": "supabase-backup", ...headers },
      body,
      // The address was checked; one that a receiver names was not, and would get the key of the mail API.
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

/** What a receiver says of its refusal: the first bytes of the answer, after a colon; nothing when they do not come. */
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

/** In own words: the runtime's messages hold the address. */
function reasonOf(cause: unknown, answerMs: number): string {
  if ((cause as Error).name === "TimeoutError") return `no answer within ${answerMs / 1000} s`;
  const text = `${cause} ${(cause as Error).cause ?? ""}`;
  if (/dns|lookup/i.test(text)) return "the name of its host is not known";
  if (/refused/i.test(text)) return "the connection was refused";
  if (/certificate|tls|handshake/i.test(text)) return "no trusted TLS connection came about";
  return "the connection failed";
}

/** A receiver may repeat what it was sent. In the path or the query of an address is its secret: longer words of them are hidden too. */
function withoutSecrets(text: string, secrets: string[]): string {
  const hidden = secrets.flatMap((secret) => {
    if (!URL.canParse(secret)) return [secret];
    const { pathname, search } = new URL(secret);
    const words = `${pathname}${search}`.split(/[/?&=]/).filter((word) => word.length >= 8);
    return [secret, pathname + search, ...(pathname.length > 1 ? [pathname] : []), ...words];
  });
  return hidden.reduce((clean, secret) => clean.replaceAll(secret, "…"), text);
}
