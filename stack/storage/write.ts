/** The two halves of writing an object, with its bytes in between: may the caller, and the row that makes it so. */
import type { Session } from "./database.ts";
import { errors, StorageError } from "./errors.ts";
import type { FileFacts } from "./files.ts";
import type { Service } from "./service.ts";
import { type FileMetadata, lockObject, type NewObject, type ObjectRow, writeObject } from "./tables.ts";
import type { Caller } from "./tokens.ts";

/** An object to be written: where, whose, and whether one that is there may be overwritten. */
export interface Target {
  bucket: string;
  name: string;
  owner: string | undefined;
  upsert: boolean;
}

/**
 * May the caller write the object? Tried on the table and rolled back, before any byte is taken in. Two uploads of one
 * new name can both pass here: the later one then overwrites, as it does on the platform.
 */
export async function tryToWrite(
  session: Session,
  caller: Caller,
  { bucket, name, owner, upsert }: Target,
  metadata: Partial<FileMetadata>,
  userMetadata: Record<string, unknown> | null = null,
): Promise<void> {
  const row = { bucket, name, version: "1", owner, metadata, userMetadata };
  try {
    await session.trial(caller, (sql) => writeObject(sql, row, upsert));
  } catch (error) {
    const taken = error instanceof StorageError && error.code === "ResourceAlreadyExists";
    throw taken ? errors.keyExists() : error;
  }
}

/** Makes a file that lies ready the object's present version, and removes the one before. */
export async function commit(session: Session, { files }: Service, object: NewObject): Promise<ObjectRow> {
  const { bucket, name, version } = object;
  try {
    const [before, row] = await session.asService(async (sql) => {
      await lockObject(sql, bucket, name);
      const [before] = await sql<{ version: string }[]>`
        select version from storage.objects where bucket_id = ${bucket} and name = ${name} for update`;
      return [before?.version, (await writeObject(sql, object, true))!] as const;
    });
    if (before !== undefined) await files.remove({ bucket, name, version: before });
    return row;
  } catch (error) {
    await files.remove({ bucket, name, version });
    throw error;
  }
}

export function fileMetadata(facts: FileFacts, mimetype: string, cacheControl: string): FileMetadata {
  return {
    eTag: facts.etag,
    size: facts.size,
    mimetype,
    cacheControl,
    lastModified: facts.modified.toISOString(),
    contentLength: facts.size,
    httpStatusCode: 200,
  };
}
