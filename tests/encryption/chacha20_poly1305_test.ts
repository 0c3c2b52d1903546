/** The cipher: RFC 8439's own vectors, a Poly1305 that is plain arithmetic, and what age's library decrypts (age_file_test.ts). */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ChaCha20 } from "../../supabase/functions/backup/encryption/chacha20.ts";
import { seal } from "../../supabase/functions/backup/encryption/chacha20_poly1305.ts";
import { Poly1305 } from "../../supabase/functions/backup/encryption/poly1305.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const bytesOf = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (byte) => parseInt(byte, 16));
const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));

Deno.test("[encryption] ChaCha20 has the stream of RFC 8439, A.1, block after block", () => {
  const stream = new Uint8Array(128);
  new ChaCha20(new Uint8Array(32), new Uint8Array(12)).encrypt(stream);
  assert.equal(
    hex(stream),
    "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7" +
      "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586" +
      "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed" +
      "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f",
  );
});

Deno.test("[encryption] Poly1305 has the tags of RFC 8439, A.3, where numbers come near the prime", () => {
  const ones = "ff".repeat(16);
  const small = (byte: string) => byte + "00".repeat(15);
  const vectors: [r: string, s: string, message: string, tag: string][] = [
    [small("02"), small("00"), ones, small("03")],
    [small("02"), ones, small("02"), small("03")],
    [small("01"), small("00"), `${ones}f0${"ff".repeat(15)}${small("11")}`, small("05")],
    [small("01"), small("00"), `${ones}fb${"fe".repeat(15)}${"01".repeat(16)}`, small("00")],
    [small("02"), small("00"), `fd${"ff".repeat(15)}`, `fa${"ff".repeat(15)}`],
  ];
  for (const [r, s, message, tag] of vectors) {
    const mac = new Poly1305(bytesOf(r + s));
    mac.update(bytesOf(message));
    assert.equal(hex(mac.tag()), tag);
  }
});

/** The definition, in numbers without end. */
function plainPoly1305(key: Uint8Array, message: Uint8Array): string {
  const number = (bytes: Uint8Array) => BigInt(`0x${hex(bytes.slice().reverse())}`);
  const r = number(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  let sum = 0n;
  for (let at = 0; at < message.length; at += 16) {
    sum = (sum + number(message.subarray(at, at + 16)) + 2n ** 128n) * r % (2n ** 130n - 5n);
  }
  const tag = (sum + number(key.subarray(16))) % 2n ** 128n;
  return hex(bytesOf(tag.toString(16).padStart(32, "0")).reverse());
}

Deno.test("[encryption] Poly1305 is what plain arithmetic says, whatever the key and the message", () => {
  for (let round = 0; round < 500; round++) {
    const [key, message] = [random(32), random(16 * (round % 40))];
    // Bytes of all ones are where limbs are largest.
    if (round % 3 === 0) key.fill(0xff, 0, 16);
    if (round % 2 === 0) message.fill(0xff);
    const mac = new Poly1305(key);
    const half = 16 * (round % 7);
    mac.update(message.subarray(0, half));
    mac.update(message.subarray(half));
    assert.equal(hex(mac.tag()), plainPoly1305(key, message));
  }
});

Deno.test("[encryption] a message is sealed as RFC 8439, 2.8, puts the two together", () => {
  for (const length of [0, 1, 15, 16, 17, 63, 64, 65, 1000]) {
    const [key, nonce, text] = [random(32), random(12), random(length)];
    const sealed = new Uint8Array(length + 16);
    sealed.set(text);
    seal(key, nonce, sealed);
    const stream = new Uint8Array(64 + length);
    new ChaCha20(key, nonce).encrypt(stream);
    const expected = text.map((byte, index) => byte ^ stream[64 + index]!);
    const padded = new Uint8Array(Math.ceil(length / 16) * 16 + 16);
    padded.set(expected);
    new DataView(padded.buffer).setBigUint64(padded.length - 8, BigInt(length), true);
    assert.equal(hex(sealed), hex(expected) + plainPoly1305(stream.subarray(0, 32), padded));
  }
});
