/** What a worker has in hand while it works on a run. */
import { sha256Hex } from "../manifest/sha256.ts";
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
  heart: Heart;
  budget: Budget;
}

export const ARCHIVE_TYPE = "application/octet-stream";
export const MANIFEST_TYPE = "application/json";

/** Name order is archive order. */
export function partName(number: number): string {
  return `${String(number).padStart(5, "0")}.dump`;
}

/** Stores a part in the folder of the attempt; whoever stores it again writes the same bytes. */
export async function storePart(
  worker: Worker,
  number: number,
  bytes: Uint8Array,
): Promise<StoredPart> {
  await worker.heart.checkPlace();
  const part = {
    name: partName(number),
    bytes: bytes.length,
    sha256: await sha256Hex(bytes),
  };
  await worker.bucket.put(
    `${worker.place.run.name}/${part.name}`,
    bytes,
    ARCHIVE_TYPE,
  );
  worker.heart.check();
  return part;
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
