/** The folder of an attempt in the bucket: the parts, the files beside them, the manifest. */
import type { Budget } from "../budget.ts";
import type { Encryption } from "../encryption/encryption.ts";
import { BackupError } from "../errors.ts";
import { MANIFEST_NAME } from "../manifest/manifest.ts";
import type { StoredPart } from "../run/run_client.ts";
import type { ProjectBucket } from "../storage/bucket.ts";
import { sha256Hex } from "../storage/sha256.ts";
import type { Heartbeat } from "./heartbeat.ts";

const ARCHIVE_TYPE = "application/octet-stream";
const MANIFEST_TYPE = "application/json";

export interface PartStoreOptions {
  bucket: ProjectBucket;
  folder: string;
  /** Null where parts are stored as they are. */
  encryption: Encryption | null;
  heartbeat: Heartbeat;
  budget: Budget;
}

/** Stores nothing for a worker that has lost its place: every method that writes throws the heartbeat's error then. */
export class PartStore {
  readonly bucket: ProjectBucket;
  readonly folder: string;
  readonly encryption: Encryption | null;
  readonly #heartbeat: Heartbeat;
  readonly #budget: Budget;

  constructor({ bucket, folder, encryption, heartbeat, budget }: PartStoreOptions) {
    this.bucket = bucket;
    this.folder = folder;
    this.encryption = encryption;
    this.#heartbeat = heartbeat;
    this.#budget = budget;
  }

  /** Returns the name of a part without its folder. Name order is archive order. */
  partName(number: number): string {
    return this.#fileName(`${String(number).padStart(5, "0")}.dump`);
  }

  /** Returns how much of the archive a stored part of that size holds. */
  capacity(storedBytes: number): number {
    return this.encryption?.capacity(storedBytes) ?? storedBytes;
  }

  /** Returns how many bytes of room a part of that size needs behind it to be encrypted without a copy. */
  spare(bytes: number): number {
    return this.encryption?.spare(bytes) ?? 0;
  }

  /**
   * Stores a part, encrypted where the run asks for it; a worker that stores it again writes the same bytes. `room`
   * begins with the part's bytes and is overwritten when they are encrypted; without it they are copied.
   */
  async storePart(number: number, bytes: Uint8Array, room?: Uint8Array): Promise<StoredPart> {
    const name = this.partName(number);
    const stored = await this.#encrypted(name, bytes, room);
    await this.#heartbeat.checkPlace();
    const part = { name, bytes: stored.length, sha256: await sha256Hex(stored) };
    await this.bucket.put(this.#path(name), stored, ARCHIVE_TYPE);
    this.#heartbeat.check();
    return part;
  }

  /** Stores a file beside the parts, encrypted as they are. */
  async storeFile(plainName: string, bytes: Uint8Array): Promise<StoredPart> {
    const name = this.#fileName(plainName);
    const stored = await this.#encrypted(name, bytes);
    this.#heartbeat.check();
    await this.bucket.put(this.#path(name), stored, ARCHIVE_TYPE);
    return { name, bytes: stored.length, sha256: await sha256Hex(stored) };
  }

  /** Stores a text beside the parts, for a person who restores without our tools. */
  async storeText(name: string, text: string): Promise<void> {
    this.#heartbeat.check();
    const type = name.endsWith(".md") ? "text/markdown" : "text/plain";
    await this.bucket.put(this.#path(name), new TextEncoder().encode(text), type);
  }

  /** Stores the manifest and reads it back: from now on the folder is a backup. Returns its SHA-256. */
  async storeManifest(bytes: Uint8Array): Promise<string> {
    const checksum = await sha256Hex(bytes);
    this.#heartbeat.check();
    await this.bucket.put(this.#path(MANIFEST_NAME), bytes, MANIFEST_TYPE);
    if (await sha256Hex(await this.get(MANIFEST_NAME)) !== checksum) throw this.changedError(MANIFEST_NAME);
    return checksum;
  }

  /** Reads a small object of the folder. */
  get(name: string): Promise<Uint8Array> {
    return this.bucket.get(this.#path(name));
  }

  /** Reads an object of the folder piece by piece, as `Bucket.read` does. */
  read<T>(name: string, consume: (pieces: AsyncIterable<Uint8Array>) => Promise<T>): Promise<T> {
    return this.bucket.read(this.#path(name), consume);
  }

  /**
   * Throws BackupError `bucket_public` where anybody may read what is stored. The database looks as well; this asks
   * Storage itself, of which the database may know less.
   */
  async refusePublicBucket(bucket: string): Promise<void> {
    if (!await this.bucket.isPublic()) return;
    throw new BackupError(
      "bucket_public",
      `Cannot write backups into bucket "${bucket}": it is public, so anybody who guesses a name downloads the whole database`,
      "Make it private in the dashboard under Storage. If a backup was in it, change the secrets that the database holds.",
    );
  }

  changedError(name: string): BackupError {
    return new BackupError(
      "verification_failed",
      `Cannot verify "${this.#path(name)}": its content in Storage differs from what was written`,
      "Another program writes to the bucket, or Storage lost bytes. Check Storage's log.",
    );
  }

  async #encrypted(name: string, bytes: Uint8Array, room?: Uint8Array): Promise<Uint8Array> {
    const { encryption } = this;
    if (encryption === null) return bytes;
    const path = this.#path(name);
    const file =
      await (room ? encryption.encrypt(path, room, bytes.length) : encryption.encryptCopy(path, bytes));
    this.#budget.spendTime(encryption.takeBusyMs());
    return file;
  }

  #fileName(plainName: string): string {
    return this.encryption === null ? plainName : `${plainName}.age`;
  }

  #path(name: string): string {
    return `${this.folder}/${name}`;
  }
}
