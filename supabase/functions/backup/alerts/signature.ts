/**
 * Signatures of the Standard Webhooks specification, symmetric form: `v1,` and the base64 of HMAC-SHA256 over
 * `id.timestamp.body`.
 */
import { createHmac } from "node:crypto";

const PREFIX = "whsec_";
/** Length of a key by the specification, in bytes. */
const SHORTEST = 24;
const LONGEST = 64;

/** Returns the key of a secret `whsec_<base64>`; null when it is not one. */
export function keyOf(secret: string): Uint8Array | null {
  const text = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : "";
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return null;
  const key = Uint8Array.from(decoded(text), (letter) => letter.charCodeAt(0));
  return key.length >= SHORTEST && key.length <= LONGEST ? key : null;
}

function decoded(base64: string): string {
  try {
    return atob(base64);
  } catch {
    return "";
  }
}

/** Returns the three headers of a message that is sent now; `id` is the same for each attempt to send it. */
export function signedHeaders(id: string, body: string, key: Uint8Array, now: Date): Record<string, string> {
  const timestamp = String(Math.floor(now.getTime() / 1000));
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
}
