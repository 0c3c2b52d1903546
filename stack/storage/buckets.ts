/** Routes of buckets: list, get, create, update, empty, delete. */
import { SERVICE, type Session, type Sql } from "./database.ts";
import { errors, StorageError } from "./errors.ts";
import { checkBucketName, checkMimeTypes, sizeLimit } from "./names.ts";
import { type Routes, type Service, sessionOf } from "./service.ts";
import {
  boolean,
  integer,
  list,
  nullable,
  object,
  oneOf,
  readBody,
  readQuery,
  type Shape,
  text,
} from "./shapes.ts";
import { findBucket, ownerAsUuid } from "./tables.ts";

interface Row {
  id: string;
  owner: string | null;
  file_size_limit: string | null;
  type?: string;
}

interface Properties {
  public?: boolean;
  file_size_limit?: number | string | null;
  allowed_mime_types?: string[] | null;
}

interface NewBucket extends Properties {
  id?: string;
  name: string;
}

interface ListQuery {
  limit?: number;
  offset?: number;
  sortColumn?: string;
  sortOrder?: string;
  search?: string;
}

const bytes: Shape = (value, path) => typeof value === "string" ? null : integer(0)(value, path);
const properties = {
  public: boolean,
  file_size_limit: nullable(bytes),
  allowed_mime_types: nullable(list(text)),
};
const newBucket = object(
  { name: text, id: text, type: oneOf("STANDARD", "ANALYTICS"), ...properties },
  ["name"],
);
const listQuery = object({
  limit: integer(1),
  offset: integer(0),
  sortColumn: oneOf("id", "name", "created_at", "updated_at"),
  sortOrder: oneOf("asc", "desc"),
  search: text,
});

export const bucketRoutes: Routes = (app, service) => {
  app.get("/bucket", async (c) => {
    const query = readQuery<ListQuery>(c, listQuery, ["limit", "offset"]);
    const caller = await service.tokens.caller(c.req.header("authorization"));
    const rows = await sessionOf(c, service).as(caller, (sql) => listBuckets(sql, query));
    return c.json(rows.map(shown));
  });

  app.get("/bucket/:id", async (c) => {
    const caller = await service.tokens.caller(c.req.header("authorization"));
    const id = c.req.param("id");
    const [row] = await sessionOf(c, service).as(caller, (sql) =>
      sql<Row[]>`
        select id, name, owner, public, file_size_limit, allowed_mime_types, created_at, updated_at
        from storage.buckets where id = ${id}`);
    if (!row) throw errors.noSuchBucket();
    return c.json(shown(row));
  });

  app.post("/bucket", async (c) => {
    const body = await readBody<NewBucket>(c, newBucket);
    const caller = await service.tokens.caller(c.req.header("authorization"));
    if (body.name === "") throw errors.invalidBucketName();
    checkBucketName(body.name);
    const row = {
      id: body.id || body.name,
      name: body.name,
      owner: ownerAsUuid(caller.owner),
      owner_id: caller.owner ?? null,
      ...columnsOf({ public: false, ...body }, service),
    };
    try {
      await sessionOf(c, service).as(caller, (sql) => sql`insert into storage.buckets ${sql(row)}`);
    } catch (error) {
      throw error instanceof StorageError && error.code === "ResourceAlreadyExists"
        ? errors.bucketExists()
        : error;
    }
    return c.json({ name: body.name });
  });

  app.put("/bucket/:id", async (c) => {
    const body = await readBody<Properties>(c, object(properties));
    if (Object.keys(properties).every((name) => body[name as keyof Properties] === undefined)) {
      throw errors.invalidRequest("body must match a schema in anyOf");
    }
    const caller = await service.tokens.caller(c.req.header("authorization"));
    const id = c.req.param("id");
    checkBucketName(id);
    const columns = columnsOf(body, service);
    const { count } = await sessionOf(c, service).as(
      caller,
      (sql) => sql`update storage.buckets set ${sql(columns)} where id = ${id}`,
    );
    if (count === 0) throw errors.noSuchBucket();
    return c.json({ message: "Successfully updated" });
  });

  app.post("/bucket/:id/empty", async (c) => {
    const caller = await service.tokens.caller(c.req.header("authorization"));
    if (caller.role !== SERVICE.role) throw errors.wrongRole();
    const id = c.req.param("id");
    const session = sessionOf(c, service);
    if (!await session.as(caller, (sql) => findBucket(sql, id))) throw errors.noSuchBucket();
    await removeAll(session, service, id);
    return c.json({ message: "Empty bucket has been queued. Completion may take up to an hour." });
  });

  app.delete("/bucket/:id", async (c) => {
    const caller = await service.tokens.caller(c.req.header("authorization"));
    const id = c.req.param("id");
    const session = sessionOf(c, service);
    const full = await session.asService(async (sql) => {
      if (!await findBucket(sql, id)) throw errors.noSuchBucket();
      return (await sql`select from storage.objects where bucket_id = ${id} limit 1`).count > 0;
    });
    if (full) throw errors.bucketNotEmpty();
    const { count } = await session.as(caller, (sql) => sql`delete from storage.buckets where id = ${id}`);
    if (count === 0) throw errors.noSuchBucket();
    return c.json({ message: "Successfully deleted" });
  });
};

function listBuckets(sql: Sql, { limit, offset, sortColumn, sortOrder, search }: ListQuery): Promise<Row[]> {
  const direction = sortOrder === "desc" ? sql`desc` : sql`asc`;
  return sql<Row[]>`
    select id, name, owner, public, type, file_size_limit, allowed_mime_types, created_at, updated_at
    from storage.buckets
    ${search ? sql`where strpos(lower(name), lower(${search})) > 0` : sql``}
    ${sortColumn ? sql`order by ${sql(sortColumn)} ${direction}` : sql``}
    limit ${limit ?? null} offset ${offset ?? 0}`;
}

/** The columns that a body sets. Throws InvalidMimeType, EntityTooLarge. */
function columnsOf(body: Properties, { fileSizeLimit }: Service): Record<string, never> {
  const { file_size_limit: limit, allowed_mime_types: types } = body;
  const allowed = types?.filter((type) => type !== "") ?? types;
  if (allowed) checkMimeTypes(allowed);
  const columns = {
    public: body.public,
    file_size_limit: typeof limit === "number" || typeof limit === "string"
      ? sizeLimit(limit, fileSizeLimit)
      : limit,
    allowed_mime_types: allowed,
  };
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined)) as never;
}

async function removeAll(session: Session, { files }: Service, bucket: string): Promise<void> {
  const removed = await session.asService((sql) =>
    sql<{ name: string; version: string }[]>`
      delete from storage.objects where bucket_id = ${bucket} returning name, version`
  );
  for (const { name, version } of removed) await files.remove({ bucket, name, version });
}

/** A bucket as a body shows it: bigint as number, an owner that is null as empty text. */
function shown(row: Row) {
  const limit = row.file_size_limit;
  return { ...row, owner: row.owner ?? "", file_size_limit: limit === null ? null : Number(limit) };
}
