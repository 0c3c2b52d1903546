/** What a worker has in hand while it works on a run. */
import type { Encryption } from "../encryption/encryption.ts";
import { sha256Hex } from "../storage/sha256.ts";
import type { Session } from "../postgres/session.ts";
import type { Place, RunVerbs, StoredPart } from "../run/verbs.ts";
import type { Budget } from "../slices/budget.ts";
import type { Bucket } from "../storage/bucket.ts";
import type { Heart } from "./heart.ts";

export interface Worker {
  /** In the snapshot's transaction; may be busy in a COPY for long. */
  exporter: Session;
  verbs: RunVerbs;
  place: Place;
  bucket: Bucket;
  /** Any bucket of the project. */
  openBucket(name: string): Bucket;
  heart: Heart;
  budget: Budget;
  /** Null where parts are stored as they are. */
  encryption: Encryption | null;
}

export const ARCHIVE_TYPE = "application/octet-stream";
export const MANIFEST_TYPE = "application/json";

/** Name order is archive order. */
export function partName(number: number, encryption: Encryption | null = null): string {
  return `${String(number).padStart(5, "0")}.dump${encryption === null ? "" : ".age"}`;
}

/**
 * Stores a part in the folder of the attempt, encrypted where the run asks for it; whoever stores it again writes the same bytes.
 * `room` begins with the part's bytes and is overwritten when they are encrypted; without it they are copied.
 */
export async function storePart(
  worker: Worker,
  number: number,
  bytes: Uint8Array,
  room?: Uint8Array,
): Promise<StoredPart> {
  const { heart, bucket, place } = worker;
  const name = partName(number, worker.encryption);
  const path = `${place.run.name}/${name}`;
  const stored = await encrypted(worker, path, bytes, room);
  await heart.checkPlace();
  const part = { name, bytes: stored.length, sha256: await sha256Hex(stored) };
  await bucket.put(path, stored, ARCHIVE_TYPE);
  heart.check();
  return part;
}

async function encrypted(
  { encryption, budget }: Worker,
  path: string,
  bytes: Uint8Array,
  room?: Uint8Array,
): Promise<Uint8Array> {
  if (encryption === null) return bytes;
  const file =
    await (room ? encryption.encrypt(path, room, bytes.length) : encryption.encryptCopy(path, bytes));
  budget.spend(0, encryption.takeBusyMs());
  return file;
}

/** Stores a file beside the parts, encrypted as they are. */
export async function storeFile(worker: Worker, plainName: string, bytes: Uint8Array): Promise<StoredPart> {
  const { heart, bucket, place } = worker;
  const name = worker.encryption === null ? plainName : `${plainName}.age`;
  const path = `${place.run.name}/${name}`;
  const stored = await encrypted(worker, path, bytes);
  heart.check();
  await bucket.put(path, stored, ARCHIVE_TYPE);
  return { name, bytes: stored.length, sha256: await sha256Hex(stored) };
}

/** Stores a text beside the parts, for a person who restores without our tools. */
export async function storeCompanion(
  { bucket, place, heart }: Worker,
  name: string,
  text: string,
): Promise<void> {
  heart.check();
  const type = name.endsWith(".md") ? "text/markdown" : "text/plain";
  await bucket.put(`${place.run.name}/${name}`, new TextEncoder().encode(text), type);
}
