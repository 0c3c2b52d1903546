/**
 * Requests to storage. Each says who sends it, and an upload goes over a client of our own (see upload_bytes.ts).
 * Nobody knows what stands between a function and its storage: where our first upload to a host fails and that of
 * `fetch` does not, `fetch` uploads from then on.
 */
import { USER_AGENT } from "../../version.ts";
import { reasonOf } from "./refusal.ts";
import { type Init, uploadBytes } from "./upload_bytes.ts";

/** From this size on a connection of its own costs less than the copies that `fetch` makes. */
const LARGE = 512 * 1024;

/** The first bytes decide, whatever their size: they are the smallest part of a run. */
const proven = new Set<string>();
let given: string | null = null;

/** Returns why `fetch` uploads instead of our own client; null while it does not. */
export function uploadFallback(): string | null {
  return given;
}

/** Has `fetch` upload, or our own client again. */
export function setUploadFallback(reason: string | null): void {
  given = reason;
  proven.clear();
}

/** A `fetch` with a User-Agent, and with our own client for bodies of bytes. */
export async function request(input: RequestInfo | URL, init: Init = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("user-agent", USER_AGENT);
  const full = { ...init, headers };
  const { body } = init;
  if (!(body instanceof Uint8Array) || given !== null) return await fetch(input, full as RequestInit);
  const url = new URL(String(input));
  if (proven.has(url.origin)) {
    return await (body.length < LARGE ? fetch(input, full as RequestInit) : uploadBytes(url, full, body));
  }
  return await firstUpload(url, full, body);
}

async function firstUpload(url: URL, init: Init, body: Uint8Array): Promise<Response> {
  const own = await settled(uploadBytes(url, init, body));
  init.signal?.throwIfAborted();
  if (own.answer?.ok) proven.add(url.origin);
  // Storage that is down or full says so to both.
  else if (own.answer === null || isRefusal(own.answer.status)) {
    const other = await settled(fetch(url, init as RequestInit));
    if (other.answer?.ok) {
      given = own.answer === null ? String(own.error) : `${own.answer.status} ${await reasonOf(own.answer)}`;
      return other.answer;
    }
    await other.answer?.body?.cancel();
  }
  if (own.answer === null) throw own.error;
  return own.answer;
}

function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 413 && status !== 429;
}

async function settled(answer: Promise<Response>): Promise<{ answer: Response | null; error: unknown }> {
  try {
    return { answer: await answer, error: null };
  } catch (error) {
    return { answer: null, error };
  }
}
