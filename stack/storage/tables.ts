/** The statements on `storage.buckets` and `storage.objects` that more than one route needs. */
import type { Sql } from "./database.ts";
import { errors } from "./errors.ts";

export interface BucketRow {
  id: string;
  public: boolean;
  file_size_limit: string | null;
  allowed_mime_types: string[] | null;
}

/** What the server notes of a file; its keys are the API's. */
export interface FileMetadata {
  eTag: string;
  size: number;
  mimetype: string;
  cacheControl: string;
  lastModified: string;
  contentLength: number;
  httpStatusCode: number;
}

export interface ObjectRow {
  id: string;
  bucket_id: string;
  name: string;
  owner: string | null;
  owner_id: string | null;
  version: string;
  /** Null in a row that was not made by the server, and so has no file. */
  metadata: FileMetadata | null;
  user_metadata: Record<string, unknown> | null;
  created_at: Date;
  updated_at: Date;
  last_accessed_at: Date;
}

export interface NewObject {
  bucket: string;
  name: string;
  version: string;
  owner: string | undefined;
  metadata: Partial<FileMetadata>;
  userMetadata: Record<string, unknown> | null;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Column `owner` is a uuid, `owner_id` any text. */
export function ownerAsUuid(owner: string | undefined): string | null {
  return owner !== undefined && UUID.test(owner) ? owner : null;
}

export async function findBucket(sql: Sql, id: string): Promise<BucketRow | undefined> {
  const [bucket] = await sql<BucketRow[]>`
    select id, public, file_size_limit, allowed_mime_types from storage.buckets where id = ${id}`;
  return bucket;
}

/** Throws NoSuchKey when there is none that the transaction's role may see. */
export async function findObject(sql: Sql, bucket: string, name: string): Promise<ObjectRow> {
  const [object] = await sql<ObjectRow[]>`
    select * from storage.objects where bucket_id = ${bucket} and name = ${name}`;
  if (!object) throw errors.noSuchKey();
  return object;
}

/** Returns what is noted of an object's file. Throws NoSuchKey when the row has none. */
export function metadataOf(row: ObjectRow): FileMetadata {
  if (row.metadata === null) throw errors.fileIsGone();
  return row.metadata;
}

/** Writes an object's row; with `upsert` over one that is there. Returns the row and the version that it had before. */
export async function writeObject(
  sql: Sql,
  object: NewObject,
  upsert: boolean,
): Promise<ObjectRow | undefined> {
  const { bucket, name, version, owner } = object;
  const row = {
    bucket_id: bucket,
    name,
    version,
    owner: ownerAsUuid(owner),
    owner_id: owner ?? null,
    metadata: object.metadata as never,
    user_metadata: object.userMetadata as never,
  };
  if (!upsert) {
    // Without `returning`: a caller who may insert need not be allowed to see what it inserted.
    await sql`insert into storage.objects ${sql(row)}`;
    return undefined;
  }
  const [written] = await sql<ObjectRow[]>`
    insert into storage.objects ${sql(row)}
    on conflict (bucket_id, name) do update
    set version = excluded.version, owner = excluded.owner, owner_id = excluded.owner_id,
      metadata = excluded.metadata, user_metadata = excluded.user_metadata
    returning *`;
  return written;
}

/** Waits until no other transaction works on that object. */
export async function lockObject(sql: Sql, bucket: string, name: string): Promise<void> {
  await sql`select set_config('lock_timeout', '5s', true)`;
  await sql`select pg_advisory_xact_lock(hashtextextended(${`${bucket}/${name}`}, 0))`;
}

/** An object as a body shows it: the columns that the API has. The real server writes text that is null as empty. */
export function shown(row: ObjectRow) {
  const { name, bucket_id, owner, owner_id, version, id, metadata, user_metadata } = row;
  const { updated_at, created_at, last_accessed_at } = row;
  return {
    name,
    bucket_id,
    owner: owner ?? "",
    owner_id: owner_id ?? "",
    version,
    id,
    updated_at,
    created_at,
    last_accessed_at,
    metadata,
    user_metadata,
  };
}
