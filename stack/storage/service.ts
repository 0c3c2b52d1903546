/** What every route works with. */
import type { Context, Hono } from "hono";
import type { Database, Session } from "./database.ts";
import type { Files } from "./files.ts";
import { checkBucketName } from "./names.ts";
import type { Tokens } from "./tokens.ts";

export interface Service {
  database: Database;
  files: Files;
  tokens: Tokens;
  /** The project's limit for one file, in bytes. */
  fileSizeLimit: number;
}

/** A group of routes. */
export type Routes = (app: Hono, service: Service) => void;

/** The database for this request. */
export function sessionOf(c: Context, service: Service): Session {
  return service.database.session({ method: c.req.method, path: c.req.path, headers: c.req.header() });
}

/** The bucket that the path names. Throws InvalidBucketName. */
export function bucketOf(c: Context): string {
  const bucket = c.req.param("bucket")!;
  checkBucketName(bucket);
  return bucket;
}

/** The object that the path names, slashes and all; may be empty. */
export function nameOf(c: Context): string {
  return c.req.param("name") ?? "";
}
