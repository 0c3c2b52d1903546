/**
 * Encryption of parts to a public key, so that the project can write its backups and not read them.
 *
 * A part's keys are not drawn at random. They follow from a secret of the attempt, the part's place and its content: whoever
 * stores a part again, a retry or a worker that comes back from the dead, writes the same bytes, as without encryption, and the
 * recorded checksum stays true. Another content has other keys, so no key is ever used for two. The secret is 32 random bytes
 * that all workers of an attempt get from the database and that are gone when it ends. Who has it and a part still needs the
 * SHA-256 of the content to make the keys: it can confirm a guess at the content and nothing else.
 */
import { encryptInPlace, type FileKeys, payloadOf, roomFor, writeHeader } from "./age_file.ts";
import { hmac } from "./hmac.ts";
import type { Recipient } from "./recipients.ts";

export class Encryption {
  readonly recipients: readonly Recipient[];
  readonly #secret: () => Promise<Uint8Array>;
  #known: Promise<Uint8Array> | undefined;
  #busyMs = 0;

  /** `secret` answers the same 32 bytes to all workers of an attempt; it is asked once. */
  constructor(recipients: readonly Recipient[], secret: () => Promise<Uint8Array>) {
    this.recipients = recipients;
    this.#secret = secret;
  }

  /** How much a part may hold so that it is not larger than `bytes` when it is encrypted; and what one of exactly that size holds. */
  capacity(bytes: number): number {
    return payloadOf(bytes, this.recipients.length);
  }

  /** How many bytes of room there must be behind a part of that size for it to be encrypted where it lies. */
  spare(bytes: number): number {
    return roomFor(bytes, this.recipients.length) - bytes;
  }

  /** Time that encryption has taken since it was last asked for. */
  takeBusyMs(): number {
    const taken = this.#busyMs;
    this.#busyMs = 0;
    return taken;
  }

  /**
   * Encrypts the first `bytes` of `room`, which are overwritten, as the part `place` (folder and name). Answers the file, a part
   * of `room`. Throws BackupError `not_configured` for a recipient that cannot be used, and what the secret's source throws.
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

  /** The same for bytes that are not ours to overwrite. */
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
