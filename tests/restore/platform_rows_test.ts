/**
 * Rows of the platform's tables and of queues, from one hosted project to another: all of them, or named with their
 * number.
 */
import assert from "node:assert/strict";
import postgres from "postgres";
import { checksTable } from "../../cli/compare/checks_table.ts";
import { dumpDatabase } from "../../cli/dump/dump_database.ts";
import { makePlan, WHOLE } from "../../cli/plan/plan_restore.ts";
import { runRestore } from "../../cli/restore/run_restore.ts";
import { openArchive } from "../../cli/source/archive_file.ts";
import { contentsOf } from "../../cli/target/target_contents.ts";
import { openTarget } from "../../cli/target/target.ts";
import { startProjectDatabase } from "../../stack/postgres/project.ts";
import { compareRestored } from "../../supabase/functions/backup/compare/compare_restored.ts";

/** A table of the platform that the target's release does not have. */
const PLATFORM = `
  create table auth.passkeys_of_the_future (id uuid primary key, user_id uuid references auth.users, key text);
  alter table auth.passkeys_of_the_future owner to supabase_auth_admin;
  grant all on auth.passkeys_of_the_future to postgres;
`;

const ROWS = `
  insert into auth.users (id, email) values ('00000000-0000-0000-0000-000000000001', 'a@example.org');
  insert into auth.oauth_clients
    (id, registration_type, redirect_uris, grant_types, client_name, client_type)
  values ('11111111-1111-1111-1111-111111111111', 'manual', 'https://example.org/callback', 'authorization_code', 'Newsletter', 'public');
  insert into auth.oauth_consents (id, user_id, client_id, scopes)
  values ('22222222-2222-2222-2222-222222222222', '00000000-0000-0000-0000-000000000001',
    '11111111-1111-1111-1111-111111111111', 'openid');
  insert into auth.sessions (id, user_id) values (gen_random_uuid(), '00000000-0000-0000-0000-000000000001');
`;

const FUTURE_ROWS = `
  insert into auth.passkeys_of_the_future
  select gen_random_uuid(), '00000000-0000-0000-0000-000000000001', 'key' from generate_series(1, 2);
`;

const ROLES = `
  alter role authenticator set pgrst.db_pre_request = 'public.check_request';
  alter role anon set statement_timeout = '1s';
  create role moderator noinherit bypassrls connection limit 3 valid until '2031-01-01 00:00:00+00';
  create role "odd$$ 'role'" login createdb;
  alter role "odd$$ 'role'" set search_path = '$user', "a ""b"";c";
  grant moderator to authenticator;
  grant moderator to "odd$$ 'role'" with admin option;
  grant pg_monitor to moderator;
`;

const TABLES = `
  create table public.open_to_all (id int primary key);
  alter table public.open_to_all disable row level security;
  create table public.closed (id int primary key);
`;

const QUEUES = `
  create extension pgmq;
  select pgmq.create('Orders');
  select pgmq.create('drained');
  select pgmq.send('Orders', jsonb_build_object('order', n)) from generate_series(1, 5) n;
  select pgmq.archive('Orders', 2);
`;

Deno.test("rows of the platform's tables and of queues come back, or are named with their number", async (t) => {
  const folder = await Deno.makeTempDir();
  const source = await startProjectDatabase({ variant: "today", automaticRls: true });
  const target = await startProjectDatabase({ variant: "today", automaticRls: true });
  const admin = postgres(source.superuserUrl, { max: 1, onnotice: () => {} });
  const owner = postgres(source.url, { max: 1, onnotice: () => {} });
  const restored = postgres(target.superuserUrl, { max: 1, onnotice: () => {} });
  const ask = async (sql: string) => Object.values((await restored.unsafe(sql))[0] as object)[0] as unknown;
  try {
    await admin.unsafe(PLATFORM + ROWS + FUTURE_ROWS + ROLES).simple();
    await owner.unsafe(TABLES + QUEUES).simple();
    const path = `${folder}/hosted.dump`;
    const warnings: string[] = [];
    {
      using file = await Deno.open(path, { write: true, create: true });
      const summary = await dumpDatabase(source.url, async (bytes) => {
        for (let sent = 0; sent < bytes.length;) sent += await file.write(bytes.subarray(sent));
      });
      warnings.push(...summary.warnings.map(({ code, object, message }) => `${code} ${object}: ${message}`));
    }
    await t.step("a dump names the rows of queues with their number", () => {
      assert.deepEqual(
        warnings.filter((text) => text.startsWith("extension_rows")).map((text) =>
          text.split(":", 2).join(":")
        ),
        [
          'extension_rows pgmq.a_orders: 1 rows belong to the extension "pgmq"',
          'extension_rows pgmq.meta: 2 rows belong to the extension "pgmq"',
          'extension_rows pgmq.q_orders: 4 rows belong to the extension "pgmq"',
        ],
      );
    });

    // As supautils lets the owner of a hosted project do.
    await restored.unsafe("grant set on parameter pgrst.db_pre_request to postgres");
    const archive = await openArchive(path);
    const there = await openTarget(target.url);
    await t.step("what automatic RLS has made in a fresh project is no content", async () => {
      assert.deepEqual((await contentsOf(there)).objects, []);
    });
    const plan = await makePlan(archive, there, WHOLE);
    await t.step("what the target has no table for is left out with its number", () => {
      assert.deepEqual(plan.leftOut.filter(({ what }) => what.startsWith("TABLE DATA")), [
        { what: "TABLE DATA auth.passkeys_of_the_future", why: "2 rows: the target has no such table" },
      ]);
      assert.ok(!plan.rows.some(({ tag }) => tag === "sessions"));
    });

    const account = await runRestore(archive, there, plan, WHOLE);
    await t.step("rows of all other tables are there", async () => {
      // PostgreSQL 15 lets superusers alone do it.
      assert.deepEqual(account.leftOut.map(({ entry, mend }) => ({ entry, mend })), [
        { entry: "role moderator: bypassrls", mend: ['ALTER ROLE "moderator" BYPASSRLS;'] },
      ]);
      assert.equal(await ask("select client_name from auth.oauth_clients"), "Newsletter");
      assert.equal(await ask("select count(*)::int from auth.oauth_consents"), 1);
      assert.equal(await ask("select count(*)::int from auth.sessions"), 0);
    });

    await t.step(
      "row level security is as in the backup, whatever the target does to new tables",
      async () => {
        const secured = "select relrowsecurity from pg_class where oid = ";
        assert.equal(await ask(`${secured} 'public.open_to_all'::regclass`), false);
        assert.equal(await ask(`${secured} 'public.closed'::regclass`), true);
        assert.equal(await ask("select count(*)::int from pg_event_trigger where evtname = 'ensure_rls'"), 1);
      },
    );

    await t.step("the comparison agrees", async () => {
      const checks = await compareRestored(archive, null, plan, there);
      assert.deepEqual(
        checks.filter(({ outcome }) => outcome === "failed").map(({ detail }) => detail),
        ["role moderator: bypassrls"],
        checksTable(checks).join("\n"),
      );
      const rows = checks.filter(({ what }) => /^rows: (auth\.oauth|pgmq)/.test(what));
      assert.deepEqual(rows.map(({ what, outcome }) => `${what} ${outcome}`).sort(), [
        "rows: auth.oauth_clients passed",
        "rows: auth.oauth_consents passed",
        "rows: pgmq.a_orders passed",
        "rows: pgmq.meta passed",
        "rows: pgmq.q_orders passed",
      ]);
    });
    await t.step("queues are made anew and have their messages, archived ones and numbers", async () => {
      assert.equal(
        await ask("select array_agg(msg_id order by msg_id)::text from pgmq.q_orders"),
        "{1,3,4,5}",
      );
      assert.equal(await ask("select array_agg(msg_id)::text from pgmq.a_orders"), "{2}");
      assert.equal(await ask("select pgmq.send('Orders', '{}')::int"), 6);
      assert.equal(await ask("select pgmq.send('drained', '{}')::int"), 1);
    });

    await t.step("roles have their attributes, settings and memberships", async () => {
      const config = (role: string) => ask(`select rolconfig::text from pg_roles where rolname = ${role}`);
      assert.match(String(await config("'authenticator'")), /pgrst\.db_pre_request=public\.check_request/);
      assert.match(String(await config("'anon'")), /statement_timeout=1s/);
      assert.equal(
        await config("$$odd$$ || '$$' || $$ 'role'$$"),
        `{"search_path=\\"$user\\", \\"a \\"\\"b\\"\\";c\\""}`,
      );
      assert.equal(
        await ask(`select string_agg(r.rolname, ', ' order by r.rolname) from pg_auth_members a
          join pg_roles r on r.oid = a.roleid join pg_roles m on m.oid = a.member where m.rolname = 'authenticator'`),
        "anon, authenticated, moderator, service_role",
      );
    });
    await there.session.close();
  } finally {
    await Promise.all([admin.end(), owner.end(), restored.end()]);
    await source.stop();
    await target.stop();
    await Deno.remove(folder, { recursive: true });
  }
});
