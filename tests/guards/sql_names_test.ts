/** No name in a query of ours may lead to something that a user made. docs/security.md has the rule and its reasons. */
import assert from "node:assert/strict";
import { startSqlProject } from "../sql/project.ts";
import { sourceFiles } from "./source_files.ts";
import { withoutExceptions } from "./sql/exceptions.ts";
import type { CatalogNames } from "./sql/judge.ts";
import { judgeSqlFile, judgeTypeScript } from "./sql/project_sql.ts";
import type { Finding } from "./sql/tree.ts";
import { opensSession, readConstants } from "./sql/typescript.ts";

const names = await catalogNames();

const PROJECT_SQL = ["supabase/schemas/backup", "supabase/schemas/versioning", "supabase/setup"];
const PROJECT_TYPESCRIPT = ["supabase/functions", "cli"];

Deno.test("no query of the project leads to something that a user made", async () => {
  const sql = await filesIn(PROJECT_SQL, ".sql");
  const typescript = await filesIn(PROJECT_TYPESCRIPT, ".ts");
  assert.ok(sql.length > 50 && typescript.length > 100);
  const constants = readConstants(typescript);
  const all: Finding[] = [];
  for (const file of sql) all.push(...await judgeSqlFile(file, names));
  for (const file of typescript) all.push(...await judgeTypeScript(file, constants, names));
  const { findings, unused } = withoutExceptions(all);
  assert.deepEqual(findings, []);
  assert.deepEqual(unused, []);
});

/** The session sets its search_path as it begins; the demo's server is its own. */
const SESSIONS = ["cli/commands/demo.ts", "supabase/functions/backup/postgres/session.ts"];

Deno.test("every session is opened where its search_path is set", async () => {
  const openers = (await filesIn(PROJECT_TYPESCRIPT, ".ts")).filter(opensSession).map(({ path }) => path);
  assert.deepEqual(openers.sort(), SESSIONS.toSorted());
  assert.ok(opensSession({ path: "sample.ts", source: 'const sql = postgres("postgresql://db");' }));
});

/** Faults as they were found, or as they may come; each with words of the finding that it must give. */
const BAD_SQL: Record<string, [sql: string, fault: RegExp]> = {
  "a cast of a column, put together by ||": [
    `create function versioning.f(layout text) returns text language sql set search_path = pg_catalog, pg_temp as $$
      select versioning._row_of(layout, 'o') || '::text' $$`,
    /a cast of a user's value: …::text/,
  ],
  "a cast of a column, put together by format()": [
    `create function versioning.f(a text) returns text language plpgsql set search_path = pg_catalog, pg_temp as $$
      begin return format('o.%I::text', a); end $$`,
    /a cast of a user's value/,
  ],
  "a comparison of columns": [
    `create function versioning.f(a text) returns text language sql set search_path = pg_catalog, pg_temp as $$
      select format('nullif(o.%1$I, n.%1$I)', a) $$`,
    /operator = on a user's value/,
  ],
  "a comparison of rows": [
    `create function versioning.f(a text) returns text language sql set search_path = pg_catalog, pg_temp as $$
      select format('select from %s o join %s n on o is distinct from n', a, a) $$`,
    /operator = on a user's value/,
  ],
  "a cast of a transition table's row": [
    `create function versioning.f() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
      begin insert into versioning.records (row) select n::text from new_rows n; return null; end $$`,
    /a cast of a user's value/,
  ],
  "a cast of text to a column's type": [
    `create function versioning.f(a regtype, b text) returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
      begin execute format('select $1::%s', a) using b; end $$`,
    /a cast to a user's type/,
  ],
  "JSON of a row": [
    `create function versioning.f(a anyelement) returns jsonb language sql set search_path = pg_catalog, pg_temp as $$ select to_jsonb(a) $$`,
    /function to_jsonb on a user's value/,
  ],
  "the empty search_path, which finds pg_temp first": [
    `create function versioning.f() returns void language sql security definer set search_path = '' as $$ select 1 $$`,
    /the search_path is not pg_catalog, pg_temp: security definer/,
  ],
  "no search_path": [
    `create function versioning.f() returns void language sql security definer as $$ select 1 $$`,
    /the search_path is not pg_catalog, pg_temp/,
  ],
  "a body with the empty search_path, made by format()": [
    `create function versioning.f(a text) returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
      begin execute format('create function versioning.%I() returns trigger language plpgsql security definer '
        'set search_path = '''' as %L', a, 'begin end'); end $$`,
    /the search_path is not/,
  ],
  "a table without a schema": [
    `create function versioning.f() returns bigint language sql set search_path = pg_catalog, pg_temp as $$ select count(*) from records $$`,
    /the relation "records" has no schema/,
  ],
  "a type without a schema": [
    `create function versioning.f() returns text language plpgsql set search_path = pg_catalog, pg_temp as $$
      declare a layouts; begin return 'x'::mood; end $$`,
    /the type "layouts" has no schema[^]*the type "mood" has no schema/,
  ],
  "a function of another schema": [
    `create function versioning.f() returns text language sql set search_path = pg_catalog, pg_temp as $$ select public.f(1) $$`,
    /function public.f is none of the catalog's or ours/,
  ],
  "a column for a truth": [
    `create function versioning.f(a text) returns text language sql set search_path = pg_catalog, pg_temp as $$
      select format('select from %s t where t.%I', a, a) $$`,
    /taken for a truth/,
  ],
};

for (const [title, [sql, fault]] of Object.entries(BAD_SQL)) {
  Deno.test(`the guard sees ${title}`, async () => {
    const findings = await judgeSqlFile({ path: "sample.sql", source: sql }, names);
    assert.match(findings.map(({ fault, text }) => `${fault}: ${text}`).join("\n"), fault);
  });
}

const BAD_TYPESCRIPT: Record<string, [source: string, fault: RegExp]> = {
  "a row as text, to estimate its size": [
    "sql.unsafe(`select octet_length(sampled::text) as bytes from only ${table} as sampled where ctid < '(1,1)'`)",
    /a cast of a user's value/,
  ],
  "a named row as text, of a subquery": [
    "const SQL = `select md5(r::text) from (select * from ${table}) r`;",
    /a cast of a user's value/,
  ],
  "columns that are compared": [
    "const JOIN = `select from ${a} x join ${b} y on x.${key} = y.${key}`;",
    /operator = on a user's value/,
  ],
  "a function of a user's table": [
    "sql.unsafe(`select max(${column}) from ${table}`)",
    /function max on a user's value/,
  ],
  "text that is sent and cannot be read": ["sql.unsafe(`selekt 1`)", /cannot be read as SQL/],
  "a relation without a schema": [
    "sql`select * from records where id = ${id}`",
    /the relation "records" has no schema/,
  ],
};

for (const [title, [source, fault]] of Object.entries(BAD_TYPESCRIPT)) {
  Deno.test(`the guard sees ${title}`, async () => {
    const findings = await judgeTypeScript({ path: "sample.ts", source }, new Map(), names);
    assert.match(findings.map(({ fault, text }) => `${fault}: ${text}`).join("\n"), fault);
  });
}

Deno.test("the guard lets pass what goes by output functions, and queries of the catalog", async () => {
  const good =
    `create function versioning.f(a text) returns text language sql set search_path = pg_catalog, pg_temp as $$
    select format('select textin(enum_out(o.%1$I)), concat(o.%1$I), o.%1$I is null, o.ctid = n.ctid from %2$s o join %2$s n on true', a, a),
      (select string_agg(c.relname, ',') from pg_class c where c.oid = 1) $$`;
  assert.deepEqual(await judgeSqlFile({ path: "sample.sql", source: good }, names), []);
  const query =
    "const SQL = `select c.oid::int8, n.nspname = 'x' from pg_class c join pg_namespace n on ${condition} where ${other}`;";
  assert.deepEqual(await judgeTypeScript({ path: "sample.ts", source: query }, new Map(), names), []);
});

async function filesIn(folders: string[], ending: string) {
  return (await Promise.all(folders.map((folder) => sourceFiles(folder, ending)))).flat();
}

/** What a search_path that begins with the catalog finds there. */
async function catalogNames(): Promise<CatalogNames> {
  const project = await startSqlProject();
  const list = async (catalog: string, column: string, schema: string) =>
    new Set((await project.sql.unsafe<{ name: string }[]>(
      `select ${column} as name from pg_catalog.${catalog} where ${schema} = 'pg_catalog'::pg_catalog.regnamespace`,
    )).map(({ name }) => name));
  try {
    return {
      relations: await list("pg_class", "relname", "relnamespace"),
      types: await list("pg_type", "typname", "typnamespace"),
      functions: await list("pg_proc", "proname", "pronamespace"),
    };
  } finally {
    await project.stop();
  }
}
