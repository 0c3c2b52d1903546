/**
 * Whom the database lets do what, read from its catalogs: every schema, table, view, sequence, type and function that
 * the migrations make, so that one that is added later is judged too. What a role is let do is tried, not only looked
 * up.
 */
import assert from "node:assert/strict";
import { apply, type SqlProject, startSqlProject } from "../sql/project.ts";
import { migrations } from "../sql/sources.ts";

/** Those whom the internet can be, who stands between, and a role of which nothing is known: what PUBLIC may. */
const STRANGERS = ["anon", "authenticated", "authenticator", "nobody"];

/** They act with their owner's rights. A change that adds one has to say here, and in docs/security.md, why. */
const DEFINERS: Record<string, string | null> = {
  // A trigger of backup.log, which fires for whoever ends a run, and is called by nobody.
  "backup._after_run": null,
  "backup.cancel": "service_role",
  "backup.cancel_restore": "service_role",
  "backup.configure": "service_role",
  "backup.copy": "service_role",
  "backup.drill": "service_role",
  "backup.examine": "service_role",
  "backup.pin": "service_role",
  "backup.schedule": "service_role",
  "backup.schedule_check": "service_role",
  "backup.start": "service_role",
  "backup.peek": "service_role",
  "backup.restore_rows": "service_role",
  "backup.restore_schema": "service_role",
  "backup.restore_table": "service_role",
  "backup.schedule_drill": "service_role",
  "backup.unpin": "service_role",
  "backup.unschedule": "service_role",
  "backup.unschedule_drill": "service_role",
  // Numbers a layout for whoever may read the history of its table.
  "versioning._number_of": "anon, authenticated, service_role",
  "versioning.configure": "service_role",
};

interface Found {
  name: string;
  [fact: string]: unknown;
}

const SCHEMAS_BEFORE = "select nspname as name from pg_namespace";

async function found(project: SqlProject, query: string, values: unknown[] = []): Promise<Found[]> {
  return [...await project.superuser.unsafe<Found[]>(query, values as never[])];
}

const names = (rows: Found[]) => rows.map(({ name }) => name);

/** Runs a statement as a role, undone; the SQLSTATE that it ends with, or null. */
async function tried(project: SqlProject, role: string, statement: string): Promise<string | null> {
  const undone = new Error("undone");
  try {
    await project.superuser.begin(async (sql) => {
      await sql.unsafe(`set local role ${role}`);
      await sql.unsafe(statement);
      throw undone;
    });
  } catch (error) {
    if (error === undone) return null;
    return (error as { code?: string }).code ?? String(error);
  }
  throw new Error("a transaction that is always undone was committed");
}

const DENIED = "42501";

Deno.test("the database's doors", async (test) => {
  const project = await startSqlProject();
  try {
    const before = names(await found(project, SCHEMAS_BEFORE));
    await apply(project.sql, await migrations());
    await project.superuser`create role nobody`;
    const ours = names(await found(project, SCHEMAS_BEFORE)).filter((name) => !before.includes(name)).sort();

    await test.step("the migrations make three schemas, and nothing of theirs lies elsewhere", async () => {
      assert.deepEqual(ours, ["backup", "versioning", "versioning_private"]);
      const elsewhere = await found(
        project,
        `select p.oid::regprocedure::text as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
         where p.proowner = 'postgres'::regrole and n.nspname <> all ($1)`,
        [ours],
      );
      assert.deepEqual(elsewhere, []);
    });

    await test.step("in the schema backup strangers have no privilege on any relation or column", async () => {
      const relations = await found(
        project,
        `select format('%I.%I', n.nspname, c.relname) as name, c.relkind as kind from pg_class c
         join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'backup' and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')`,
      );
      assert.ok(relations.length > 12, `${relations.length} relations`);
      for (const role of STRANGERS) {
        for (const { name, kind } of relations) {
          const statements = kind === "S"
            ? [`select nextval('${name}')`, `select last_value from ${name}`]
            : [`select * from ${name}`, `insert into ${name} default values`, `delete from ${name}`];
          for (const statement of statements) {
            assert.equal(await tried(project, role, statement), DENIED, `${role}: ${statement}`);
          }
        }
      }
      const columns = await found(
        project,
        `select format('%s %s.%s', r.name, c.oid::regclass, a.attname) as name
         from unnest($1::text[]) r (name), pg_class c
         join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
         where n.nspname = 'backup' and c.relkind in ('r', 'p', 'v', 'm') and a.attnum > 0 and not a.attisdropped
           and has_column_privilege(r.name, c.oid, a.attnum, 'select, insert, update, references')`,
        [STRANGERS],
      );
      assert.deepEqual(columns, []);
    });

    await test.step("in the schema backup strangers may execute no function", async () => {
      const functions = await found(
        project,
        `select p.oid::regprocedure::text as name from pg_proc p where p.pronamespace = 'backup'::regnamespace`,
      );
      assert.ok(functions.length > 60, `${functions.length} functions`);
      const open = await found(
        project,
        `select format('%s %s', r.name, p.oid::regprocedure) as name from unnest($1::text[]) r (name), pg_proc p
         where p.pronamespace = 'backup'::regnamespace and has_function_privilege(r.name, p.oid, 'execute')`,
        [STRANGERS],
      );
      assert.deepEqual(open, []);
      for (const role of STRANGERS) {
        for (
          const call of ["backup.start()", "backup.dispatch(1)", "backup._redeem('x')", "backup.watch()"]
        ) {
          assert.equal(await tried(project, role, `select ${call}`), DENIED, `${role}: ${call}`);
        }
      }
    });

    await test.step("into the schema versioning_private no role of the API can look", async () => {
      const open = await found(
        project,
        `select r.rolname as name from pg_roles r
         where r.rolname = any ($1) and has_schema_privilege(r.oid, 'versioning_private', 'usage, create')`,
        [[...STRANGERS, "service_role"]],
      );
      assert.deepEqual(open, []);
    });

    await test.step("in the schema versioning strangers write nothing, and read by row level security alone", async () => {
      const tables = await found(
        project,
        `select c.oid::regclass::text as name, c.relkind as kind, c.relrowsecurity as secured,
           coalesce('security_invoker=true' = any (c.reloptions), false) as invoker
         from pg_class c where c.relnamespace = 'versioning'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')`,
      );
      assert.ok(tables.length > 4);
      for (const { name, kind, secured, invoker } of tables) {
        assert.ok(kind === "v" ? invoker : secured, `${name} is under row level security`);
        for (const role of STRANGERS) {
          for (const statement of [`insert into ${name} default values`, `delete from ${name}`]) {
            assert.notEqual(await tried(project, role, statement), null, `${role}: ${statement}`);
          }
        }
      }
    });

    const openToAll = () =>
      found(
        project,
        `select p.oid::regprocedure::text as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
         where n.nspname = any ($1)
           and exists (
             select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0
           )`,
        [ours],
      );
    await test.step("PUBLIC has no privilege on any function of ours", async () => {
      assert.deepEqual(await openToAll(), []);
    });

    // An empty one would let pg_temp come first, where any caller can make a type or a table.
    await test.step("every function fixes its search_path, with pg_temp last", async () => {
      const loose = await found(
        project,
        `select p.oid::regprocedure::text as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
         where n.nspname = any ($1) and not coalesce('search_path=pg_catalog, pg_temp' = any (p.proconfig), false)`,
        [ours],
      );
      assert.deepEqual(loose, []);
    });

    await test.step("those that act with their owner's rights are known, and so is who may call them", async () => {
      const definers = await found(
        project,
        `select n.nspname || '.' || p.proname as name, p.proowner::regrole::text as owner, (
             select string_agg(a.grantee::regrole::text, ', ' order by a.grantee::regrole::text)
             from aclexplode(p.proacl) a where a.grantee <> p.proowner and a.grantee <> 0
           ) as grantees
         from pg_proc p join pg_namespace n on n.oid = p.pronamespace
         where n.nspname = any ($1) and p.prosecdef order by 1`,
        [ours],
      );
      assert.deepEqual(Object.fromEntries(definers.map(({ name, grantees }) => [name, grantees])), DEFINERS);
      assert.deepEqual([...new Set(definers.map(({ owner }) => owner))], ["postgres"], "no superuser's");
    });

    await test.step("what somebody adds to the schema backup without a thought is closed to strangers, and found here", async () => {
      await project.sql.unsafe(`
        create table backup.added_later (secret text);
        create function backup.added_later() returns int language sql as 'select 1'`);
      for (const role of STRANGERS) {
        // Without the right to look into the schema no privilege on what is in it helps.
        for (const statement of ["select * from backup.added_later", "select backup.added_later()"]) {
          assert.equal(await tried(project, role, statement), DENIED, `${role}: ${statement}`);
        }
      }
      assert.deepEqual(names(await openToAll()), ["backup.added_later()"]);
      await project.sql.unsafe("drop table backup.added_later; drop function backup.added_later()");
    });

    await test.step("the API exposes neither schema, and jobs hold no key", async () => {
      const config = await Deno.readTextFile(new URL("../../supabase/config.toml", import.meta.url));
      assert.equal(config.match(/^schemas = .*$/m)?.[0], 'schemas = ["public", "graphql_public"]');
      const jobs = await found(project, "select jobname as name, command from cron.job order by 1");
      assert.deepEqual(jobs.map(({ command }) => command), [
        "select backup.check()",
        "select backup.start('scheduled')",
      ]);
    });
  } finally {
    await project.stop();
  }
});
