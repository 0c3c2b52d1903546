/**
 * Routes that list objects: one level of folders at a time, and the second version, which may go through all levels.
 */
import { Buffer } from "node:buffer";
import type { Sql } from "./database.ts";
import { bucketOf, type Routes, sessionOf } from "./service.ts";
import { boolean, integer, object, oneOf, readBody, text } from "./shapes.ts";

interface SortBy {
  column: string;
  order?: "asc" | "desc";
}

interface Search {
  prefix: string;
  limit?: number;
  offset?: number;
  search?: string;
  sortBy?: SortBy;
}

interface PagedSearch {
  prefix?: string;
  limit?: number;
  cursor?: string;
  with_delimiter?: boolean;
  sortBy?: SortBy;
}

interface Entry {
  name: string;
  id: string | null;
  sort_time: string;
}

/** Where a page ended: the last entry's name, and its time when sorted by one. */
type Cursor = [name: string, time: string];

/** Rows of one answer, whatever `limit` says. */
const MOST_ENTRIES = 1500;
const MOST_PAGED = 1000;

function sortShape(...columns: string[]) {
  return object({ column: oneOf(...columns), order: oneOf("asc", "desc") }, ["column"]);
}
const search = object({
  prefix: text,
  limit: integer(1),
  offset: integer(0),
  sortBy: sortShape("name", "updated_at", "created_at", "last_accessed_at"),
  search: text,
}, ["prefix"]);
const pagedSearch = object({
  prefix: text,
  limit: integer(1),
  cursor: text,
  with_delimiter: boolean,
  sortBy: sortShape("name", "updated_at", "created_at"),
});

export const listingRoutes: Routes = (app, service) => {
  app.post("/object/list/:bucket", async (c) => {
    const body = await readBody<Search>(c, search);
    const caller = await service.tokens.caller(c.req.header("authorization"));
    const bucket = bucketOf(c);
    return c.json(await sessionOf(c, service).as(caller, (sql) => listLevel(sql, bucket, body)));
  });

  app.post("/object/list-v2/:bucket", async (c) => {
    const body = await readBody<PagedSearch>(c, pagedSearch);
    const caller = await service.tokens.caller(c.req.header("authorization"));
    const bucket = bucketOf(c);
    const limit = Math.min(body.limit ?? MOST_PAGED, MOST_PAGED);
    const found = await sessionOf(c, service).as(caller, (sql) => listPage(sql, bucket, body, limit + 1));
    const page = found.slice(0, limit);
    const shown = page.map(({ sort_time: _, ...entry }) => entry);
    const last = page.at(-1);
    return c.json({
      hasNext: found.length > limit,
      ...(found.length > limit && { nextCursor: toCursor(last!), nextCursorKey: last!.name }),
      folders: shown.filter(({ id }) => id === null),
      objects: shown.filter(({ id }) => id !== null),
    });
  });
};

/**
 * Folders and objects right below a prefix, compared without regard to case. Folders stand for themselves with
 * everything but the name null, count like objects, and come first unless sorted by name.
 */
async function listLevel(sql: Sql, bucket: string, body: Search): Promise<Entry[]> {
  const prefix = body.prefix === "" || body.prefix.endsWith("/") ? body.prefix : `${body.prefix}/`;
  const start = prefix + (body.search ?? "");
  const { column, order } = { column: "name", ...body.sortBy };
  const direction = order === "desc" ? sql`desc` : sql`asc`;
  return await sql<Entry[]>`
    with matching as (
      select *,
        substr(name, ${prefix.length + 1}::int) as below,
        strpos(substr(name, ${start.length + 1}::int), '/') as slash
      from storage.objects
      where bucket_id = ${bucket} and starts_with(lower(name), lower(${start}))
    ),
    entries as (
      select below as name, lower(below) as sort_name, id, updated_at, created_at, last_accessed_at, metadata
      from matching
      where slash = 0
      union all
      select min(folder), lower(folder) || '/', null, null, null, null, null
      from matching, left(below, ${start.length - prefix.length}::int + slash - 1) as folder
      where slash > 0
      group by lower(folder)
    )
    select name, id, updated_at, created_at, last_accessed_at, metadata
    from entries
    order by ${
    column === "name"
      ? sql`sort_name collate "C" ${direction}`
      : sql`id is not null, ${sql(column)} ${direction}, name ${direction}`
  }
    limit ${Math.min(body.limit ?? 100, MOST_ENTRIES)} offset ${body.offset ?? 0}`;
}

/**
 * Objects below a prefix behind the cursor, with `with_delimiter` those of one level and its folders; names are whole.
 */
async function listPage(sql: Sql, bucket: string, body: PagedSearch, limit: number): Promise<Entry[]> {
  const prefix = body.prefix ?? "";
  const { column, order } = { column: "name", ...body.sortBy };
  const descending = order === "desc";
  const direction = descending ? sql`desc` : sql`asc`;
  const after = fromCursor(body.cursor);
  // Folders are dated by their newest object where dates decide, and undated otherwise.
  const dated = (name: string) => column === "name" ? sql`null::timestamptz` : sql`max(${sql(name)})`;
  const sortTime = column === "name" ? sql`''` : sql`${sql(column)}::text`;
  return await sql<Entry[]>`
    with matching as (
      select *,
        case when ${body.with_delimiter === true} then strpos(substr(name, ${
    prefix.length + 1
  }::int), '/') else 0 end as slash
      from storage.objects
      where bucket_id = ${bucket} and starts_with(name, ${prefix})
    ),
    entries as (
      select name, id, updated_at, created_at, last_accessed_at, metadata
      from matching
      where slash = 0
      union all
      select folder, null, ${dated("updated_at")}, ${dated("created_at")}, null, null
      from matching, left(name, ${prefix.length}::int + slash) as folder
      where slash > 0
      group by folder
    )
    select
      ${body.with_delimiter ? sql`regexp_replace(name, '^.*/(?=.)|/$', '', 'g') as key,` : sql``}
      name, id, metadata, updated_at, created_at, last_accessed_at, ${sortTime} as sort_time
    from entries
    where ${
    after === null
      ? sql`true`
      : column === "name"
      ? sql`name collate "C" ${descending ? sql`<` : sql`>`} ${after[0]}`
      : sql`(${sql(column)}, name collate "C") ${descending ? sql`<` : sql`>`} (${after[1]}::timestamptz, ${
        after[0]
      })`
  }
    order by ${column === "name" ? sql`` : sql`${sql(column)} ${direction},`} name collate "C" ${direction}
    limit ${limit}`;
}

function toCursor({ name, sort_time }: Entry): string {
  const cursor: Cursor = [name, sort_time];
  return Buffer.from(JSON.stringify(cursor)).toString("base64");
}

function fromCursor(cursor: string | undefined): Cursor | null {
  return cursor === undefined ? null : JSON.parse(Buffer.from(cursor, "base64").toString());
}
