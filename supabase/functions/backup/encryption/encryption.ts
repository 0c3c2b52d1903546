/**
 * Encrypts parts to a public key, so that the project can write its backups but not read them.
 *
 * A part's keys are not random. They follow from a secret of the attempt, the part's place and its content: when a part
 * is stored again, by a retry or by a worker that was suspended, the bytes are the same, as without encryption, and the
 * recorded checksum stays true. Different content has different keys, so no key is ever used twice. The secret is 32
 * random bytes that all workers of an attempt get from the database, which deletes them when it ends. An attacker with
 * the secret and a part still needs the SHA-256 of the content to derive the keys: the secret can confirm a guess at
 * the content and nothing else.
 */
import { encryptInPlace, type FileKeys, payloadOf, roomFor, writeHeader } from "./age_file.ts";
import { hmac } from "./hmac.ts";
import type { Recipient } from "./recipients.ts";

export class Encryption {
  readonly recipients: readonly Recipient[];
  readonly #secret: () => Promise<Uint8Array>;
  #known: Promise<Uint8Array> | undefined;
  #busyMs = 0;

  /** `secret` returns the same 32 bytes for all workers of an attempt; it is called once. */
  constructor(recipients: readonly Recipient[], secret: () => Promise<Uint8Array>) {
    this.recipients = recipients;
    this.#secret = secret;
  }

  /**
   * Returns how much a part may hold to have at most `bytes` when it is encrypted; and what a part of that size holds.
   */
  capacity(bytes: number): number {
    return payloadOf(bytes, this.recipients.length);
  }

  /** Returns how many bytes of room a part of that size needs behind it to be encrypted in place. */
  spare(bytes: number): number {
    return roomFor(bytes, this.recipients.length) - bytes;
  }

  /** Returns the time that encryption has taken since the last call. */
  takeBusyMs(): number {
    const taken = this.#busyMs;
    this.#busyMs = 0;
    return taken;
  }

  /**
   * Encrypts the first `bytes` of `room`, which are overwritten, as the part `place` (folder and name). Returns the
   * file, a part of `room`. Throws BackupError `not_configured` for a recipient that cannot be used, and what the
   * secret's source throws.
   */
  async encrypt(place: string, room: Uint8Array, bytes: number): Promise<Uint8Array> {
    this.#known ??= this.#secret();
    const keys = await this.#keysOf(await this.#known, place, room.subarray(0, bytes));
    const header = await writeHeader(this.recipients, keys);
    const begin = performance.now();
    const file = encryptInPlace(room, bytes, header, keys);
    this.#busyMs += performance.now() - begin;
    return file;
  }

  /** Encrypts bytes that must not be overwritten. */
  async encryptCopy(place: string, bytes: Uint8Array): Promise<Uint8Array> {
    const room = new Uint8Array(bytes.length + this.spare(bytes.length));
    room.set(bytes);
    return await this.encrypt(place, room, bytes.length);
  }

  async #keysOf(secret: Uint8Array, place: string, bytes: Uint8Array): Promise<FileKeys> {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const texts = ["supabase-backup part", place, ...this.recipients.map(({ text }) => text), ""];
    const root = hmac(secret, texts.join("\0"), digest);
    const derived = (label: string) => hmac(root, label);
    return {
      fileKey: derived("file key").subarray(0, 16),
      payloadNonce: derived("payload nonce").subarray(0, 16),
      ephemeral: this.recipients.map((_, index) => derived(`ephemeral ${index}`)),
    };
  }
}
