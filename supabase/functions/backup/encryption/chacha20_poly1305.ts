/**
 * ChaCha20-Poly1305 (RFC 8439, 2.8): encrypts and authenticates, in place and without additional data. The runtime has it neither in
 * Web Crypto nor in node:crypto, so it is JavaScript in any case. Nothing in it branches or looks up by a secret. This file is all
 * that the rest of the stage knows of the cipher.
 */
import { ChaCha20 } from "./chacha20.ts";
import { Poly1305 } from "./poly1305.ts";

export const TAG_BYTES = 16;

/**
 * Encrypts all of `message` but its last 16 bytes, and writes the tag there. It begins at a multiple of four of its buffer. `key` has
 * 32 bytes, `nonce` 12; two messages must never have both the same.
 */
export function seal(key: Uint8Array, nonce: Uint8Array, message: Uint8Array): void {
  const text = message.subarray(0, message.length - TAG_BYTES);
  const cipher = new ChaCha20(key, nonce);
  const first = new Uint8Array(64);
  cipher.encrypt(first);
  cipher.encrypt(text);
  const mac = new Poly1305(first.subarray(0, 32));
  const whole = text.length - text.length % 16;
  mac.update(text.subarray(0, whole));
  // What is left of the text, filled up with zeros; then the lengths of additional data and of the text.
  const end = new Uint8Array(whole === text.length ? 16 : 32);
  end.set(text.subarray(whole));
  new DataView(end.buffer).setBigUint64(end.length - 8, BigInt(text.length), true);
  mac.update(end);
  message.set(mac.tag(), text.length);
}
