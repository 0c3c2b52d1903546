/**
 * Writes a file of the age format, version 1 (https://age-encryption.org/v1), with given keys: a header with the file
 * key for each recipient, then the payload in chunks of 64 KiB under ChaCha20-Poly1305. `age` and `rage` decrypt it.
 */
import { Buffer } from "node:buffer";
import { hkdfSync } from "node:crypto";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { BackupError } from "../errors.ts";
import { hmac } from "./hmac.ts";
import type { Recipient } from "./recipients.ts";

/** The keys of a file: the same bytes give the same file, and other bytes must never be encrypted with them. */
export interface FileKeys {
  /** 16 bytes. */
  fileKey: Uint8Array;
  /** 16 bytes. */
  payloadNonce: Uint8Array;
  /** 32 bytes for each recipient: the private key that is used with it, once. */
  ephemeral: readonly Uint8Array[];
}

const CHUNK = 64 * 1024;
const NONCE = 16;
const TAG_BYTES = 16;
const VERSION = "age-encryption.org/v1\n";

/** The cipher is fast for bytes that begin at a multiple of four, and copies others. */
const ALIGNMENT = 4;

/** Bytes of the header: each stanza has two lines of 43 characters in base64, the end has one. */
function headerBytes(recipients: number): number {
  return VERSION.length + recipients * ("-> X25519 ".length + 44 + 44) + "--- ".length + 44;
}

/** Returns the size of a file with a payload of that size. */
export function fileBytes(plain: number, recipients: number): number {
  return headerBytes(recipients) + NONCE + payloadBytes(plain);
}

function payloadBytes(plain: number): number {
  return plain + TAG_BYTES * Math.max(1, Math.ceil(plain / CHUNK));
}

/** Returns the longest payload of a file of at most `bytes`. */
export function payloadOf(bytes: number, recipients: number): number {
  const left = bytes - headerBytes(recipients) - NONCE;
  const whole = Math.floor(left / (CHUNK + TAG_BYTES));
  return whole * CHUNK + Math.max(0, left % (CHUNK + TAG_BYTES) - TAG_BYTES);
}

/** Returns the room that a payload needs to become a file in place. */
export function roomFor(plain: number, recipients: number): number {
  return fileBytes(plain, recipients) + ALIGNMENT;
}

/**
 * Encrypts the first `plain` bytes of `room` in place and returns the file, a part of `room`, which is at least
 * `roomFor` long: a second buffer of a part's size would not fit an isolate's memory.
 */
export function encryptInPlace(
  room: Uint8Array,
  plain: number,
  header: Uint8Array,
  { fileKey, payloadNonce }: FileKeys,
): Uint8Array {
  const lead = header.length + NONCE;
  const begin = (ALIGNMENT - (room.byteOffset + lead) % ALIGNMENT) % ALIGNMENT;
  const file = room.subarray(begin, begin + lead + payloadBytes(plain));
  const key = hkdf(fileKey, payloadNonce, "payload");
  // From the last chunk to the first: each moves towards the end, over bytes that have moved before.
  for (let chunk = Math.max(1, Math.ceil(plain / CHUNK)) - 1, last = 1; chunk >= 0; chunk--, last = 0) {
    const bytes = Math.min(plain - chunk * CHUNK, CHUNK);
    const place = file.subarray(lead + chunk * (CHUNK + TAG_BYTES)).subarray(0, bytes + TAG_BYTES);
    place.set(room.subarray(chunk * CHUNK, chunk * CHUNK + bytes));
    seal(key, chunkNonce(chunk, last), place);
  }
  file.set(header);
  file.set(payloadNonce, header.length);
  return file;
}

/** Encrypts all of `message` but its last 16 bytes where it lies, and writes the tag there. */
function seal(key: Uint8Array, nonce: Uint8Array, message: Uint8Array): void {
  chacha20poly1305(key, nonce).encrypt(message.subarray(0, message.length - TAG_BYTES), message);
}

/**
 * Eleven bytes count, the twelfth marks the last chunk, so that chunks cannot be moved and the file cannot be truncated
 * between two.
 */
function chunkNonce(chunk: number, last: number): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(7, chunk);
  nonce[11] = last;
  return nonce;
}

/**
 * Returns the header, with the file key for each recipient. Throws BackupError `not_configured` for an invalid
 * recipient.
 */
export async function writeHeader(
  recipients: readonly Recipient[],
  { fileKey, ephemeral }: FileKeys,
): Promise<Uint8Array> {
  const stanzas = await Promise.all(recipients.map((to, index) => stanza(to, fileKey, ephemeral[index]!)));
  const head = `${VERSION}${stanzas.join("")}---`;
  const mac = hmac(hkdf(fileKey, new Uint8Array(), "header"), head);
  return new TextEncoder().encode(`${head} ${base64(mac)}\n`);
}

/** Returns the file key for one recipient. */
async function stanza({ key, text }: Recipient, fileKey: Uint8Array, ephemeral: Uint8Array): Promise<string> {
  const share = await agree(ephemeral, BASE_POINT);
  const secret = await agree(ephemeral, key);
  // Points of low order agree with every key on zeros.
  if (secret.every((byte) => byte === 0)) {
    throw new BackupError(
      "not_configured",
      `Invalid recipient "${text}": it is not a public key`,
      "Create a key with age-keygen.",
    );
  }
  const salt = new Uint8Array([...share, ...key]);
  const wrapped = new Uint8Array(fileKey.length + TAG_BYTES);
  wrapped.set(fileKey);
  seal(hkdf(secret, salt, "age-encryption.org/v1/X25519"), new Uint8Array(12), wrapped);
  return `-> X25519 ${base64(share)}\n${base64(wrapped)}\n`;
}

const BASE_POINT = new Uint8Array(32).fill(9, 0, 1);

/** PKCS #8 before the 32 bytes of a private key (RFC 8410): Web Crypto does not import a bare key. */
const PKCS8 = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20];

/** X25519 (RFC 7748). Returns zeros for a point of low order, which the runtime may refuse itself. */
async function agree(scalar: Uint8Array, point: Uint8Array): Promise<Uint8Array> {
  const { subtle } = crypto;
  const own = await subtle.importKey("pkcs8", new Uint8Array([...PKCS8, ...scalar]), "X25519", false, [
    "deriveBits",
  ]);
  const theirs = await subtle.importKey("raw", point, "X25519", false, []);
  return new Uint8Array(
    await subtle.deriveBits({ name: "X25519", public: theirs }, own, 256).catch(() => new ArrayBuffer(32)),
  );
}

function hkdf(key: Uint8Array, salt: Uint8Array, info: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", key, salt, info, 32));
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replace(/=+$/, "");
}
