/** Routes that hand out an object: its bytes, or what is known of it, to callers, to strangers and by a signed URL. */
import type { Context } from "hono";
import { errors } from "./errors.ts";
import { checkObjectName } from "./names.ts";
import { bucketOf, nameOf, type Routes, type Service, sessionOf } from "./service.ts";
import { object, readQuery, text } from "./shapes.ts";
import { type FileMetadata, findBucket, findObject, metadataOf, type ObjectRow } from "./tables.ts";
import type { Caller } from "./tokens.ts";

type Show = (c: Context, service: Service, row: ObjectRow, expires?: Date) => Promise<Response>;

export const downloadRoutes: Routes = (app, service) => {
  const { tokens } = service;
  const callerOf = (c: Context) => tokens.caller(c.req.header("authorization"));
  const anybody = (c: Context) => tokens.callerOrStranger(c.req.header("authorization"));

  app.get("/object/info/public/:bucket/:name{.*}", (c) => byPublic(c, info));
  app.get(
    "/object/info/authenticated/:bucket/:name{.*}",
    async (c) => await byCaller(c, await callerOf(c), info),
  );
  app.get("/object/info/:bucket/:name{.*}", async (c) => await byCaller(c, await anybody(c), info));
  app.get("/object/public/:bucket/:name{.*}", (c) => byPublic(c, bytes));
  app.get(
    "/object/authenticated/:bucket/:name{.*}",
    async (c) => await byCaller(c, await callerOf(c), bytes),
  );
  app.get("/object/sign/:bucket/:name{.*}", bySignedUrl);
  app.get("/object/:bucket/:name{.*}", async (c) => await byCaller(c, await anybody(c), bytes));

  async function byPublic(c: Context, show: Show): Promise<Response> {
    const [bucket, name] = [bucketOf(c), nameOf(c)];
    checkObjectName(name);
    const row = await sessionOf(c, service).asService(async (sql) => {
      if (!(await findBucket(sql, bucket))?.public) throw errors.noSuchBucket();
      return await findObject(sql, bucket, name);
    });
    return await show(c, service, row);
  }

  /** A stranger (null) learns of no private bucket that it exists. */
  async function byCaller(c: Context, caller: Caller | null, show: Show): Promise<Response> {
    const [bucket, name] = [bucketOf(c), nameOf(c)];
    const session = sessionOf(c, service);
    const settings = await session.asService((sql) => findBucket(sql, bucket));
    if (!settings || (caller === null && !settings.public)) throw errors.noSuchBucket();
    checkObjectName(name);
    const row = settings.public || caller === null
      ? await session.asService((sql) => findObject(sql, bucket, name))
      : await session.as(caller, (sql) => findObject(sql, bucket, name));
    return await show(c, service, row);
  }

  async function bySignedUrl(c: Context): Promise<Response> {
    const { token } = readQuery<{ token: string }>(c, object({ token: text }, ["token"]));
    const [bucket, name] = [bucketOf(c), nameOf(c)];
    const { exp } = await tokens.granted(token, "download", `${bucket}/${name}`);
    const row = await sessionOf(c, service).asService((sql) => findObject(sql, bucket, name));
    return await bytes(c, service, row, new Date(exp * 1000));
  }
};

/** The file, or the range of it that was asked for; the headers alone for HEAD. */
async function bytes(c: Context, { files }: Service, row: ObjectRow, expires?: Date): Promise<Response> {
  const key = { bucket: row.bucket_id, name: row.name, version: row.version };
  const size = await files.size(key);
  if (size === null) throw errors.fileIsGone();
  const metadata = metadataOf(row);
  const headers = headersOf(c, metadata, expires);
  if (unchanged(c, metadata)) return new Response(null, { status: 304, headers });
  const asked = c.req.header("range");
  const [from, to] = asked === undefined ? [0, size - 1] : rangeOf(asked, size);
  headers.set("content-length", String(to - from + 1));
  if (asked !== undefined) headers.set("content-range", `bytes ${from}-${to}/${size}`);
  const body = c.req.raw.method === "HEAD"
    ? null
    : ReadableStream.from(files.read(key, from, to - from + 1)) as ReadableStream<Uint8Array>;
  return new Response(body, { status: asked === undefined ? 200 : 206, headers });
}

// deno-lint-ignore require-await -- has the shape of bytes().
async function info(c: Context, _service: Service, row: ObjectRow): Promise<Response> {
  const { id, name, version, bucket_id, metadata } = row;
  if (metadata !== null) {
    const headers = headersOf(c, metadata);
    for (const name of ["etag", "last-modified", "cache-control"]) c.header(name, headers.get(name)!);
  }
  return c.json({
    id,
    name,
    version,
    bucket_id,
    size: metadata?.size ?? null,
    content_type: metadata?.mimetype ?? null,
    cache_control: metadata?.cacheControl ?? null,
    etag: metadata?.eTag ?? null,
    metadata: row.user_metadata,
    last_modified: row.updated_at,
    created_at: row.created_at,
  });
}

function headersOf(c: Context, metadata: FileMetadata, expires?: Date): Headers {
  // HTML would be run by the browser with the project's own origin.
  const type = metadata.mimetype.includes("text/html") ? "text/plain" : metadata.mimetype;
  const headers = new Headers({
    "accept-ranges": "bytes",
    // Deno.serve would compress text on the way, and drop the length and the range with it.
    "content-encoding": "identity",
    "content-type": type,
    etag: metadata.eTag,
    "x-robots-tag": "none",
    "last-modified": new Date(metadata.lastModified).toUTCString(),
  });
  if (expires) headers.set("expires", expires.toUTCString());
  else headers.set("cache-control", metadata.cacheControl);
  const download = c.req.query("download");
  if (download !== undefined) {
    const file = encodeURIComponent(download);
    headers.set(
      "content-disposition",
      download === "" ? "attachment;" : `attachment; filename=${file}; filename*=UTF-8''${file}`,
    );
  }
  return headers;
}

/** Returns whether the client has said that it holds this very content. */
function unchanged(c: Context, metadata: FileMetadata): boolean {
  const since = c.req.header("if-modified-since");
  return c.req.header("if-none-match") === metadata.eTag ||
    (since !== undefined && new Date(metadata.lastModified) <= new Date(since));
}

/** First and last byte of a Range header. Throws InvalidRange when it is not valid, or outside the file. */
function rangeOf(header: string, size: number): [number, number] {
  const [, start, end] = /^bytes=(\d*)-(\d*)$/.exec(header) ?? [];
  if (start === undefined || end === undefined || start + end === "") throw errors.invalidRange();
  const from = start === "" ? Math.max(size - Number(end), 0) : Number(start);
  const to = start === "" || end === "" ? size - 1 : Math.min(Number(end), size - 1);
  if (from > to) throw errors.invalidRange();
  return [from, to];
}
