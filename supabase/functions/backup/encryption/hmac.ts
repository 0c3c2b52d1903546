import { createHmac } from "node:crypto";

/** Returns the HMAC-SHA256 of the messages, one after the other: 32 bytes. */
export function hmac(key: Uint8Array, ...messages: (Uint8Array | string)[]): Uint8Array {
  const mac = createHmac("sha256", key);
  for (const message of messages) mac.update(message);
  // A Buffer is a Uint8Array, but the types of Deno and of Node differ.
  return Uint8Array.from(mac.digest() as unknown as Uint8Array);
}
