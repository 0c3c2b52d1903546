/** The variant `today` of the stack's database has the catalog of a hosted project. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { startProjectDatabase } from "../../../stack/postgres/project.ts";

Deno.test("[startProjectDatabase] the variant `older` has Vault on pgsodium, which is not part of today's", async () => {
  const database = await startProjectDatabase({ variant: "older" });
  const sql = postgres(database.url, { max: 1, onnotice: () => {} });
  try {
    await sql`select vault.create_secret('hush', 'name')`;
    const [secret] = await sql`
      select secret <> 'hush' as hidden, decrypted_secret from vault.decrypted_secrets where name = 'name'`;
    assert.deepEqual({ ...secret }, { hidden: true, decrypted_secret: "hush" });
    await sql`select vault.update_secret(id, 'hushed') from vault.secrets`;
    const [updated] = await sql`select decrypted_secret from vault.decrypted_secrets`;
    assert.equal(updated!.decrypted_secret, "hushed");
    const configured = await sql`
      select extname || case extname when 'pg_cron' then '' else ' ' || extversion end,
        extconfig::regclass[]::text
      from pg_extension where extconfig is not null order by 1`;
    assert.deepEqual(configured.map((row) => Object.values(row).join(" ")), [
      "pg_cron {cron.job,cron.jobid_seq,cron.job_run_details,cron.runid_seq}",
      "pgsodium 3.1.9 {pgsodium.key}",
      "supabase_vault 0.2.8 {vault.secrets}",
    ]);
    const roles = await sql`
      select rolname from pg_roles where rolname ~ 'pgsodium' or rolname = 'supabase_functions_admin' order by oid`;
    assert.deepEqual(roles.map(({ rolname }) => rolname), [
      "pgsodium_keyiduser",
      "pgsodium_keyholder",
      "pgsodium_keymaker",
      "supabase_functions_admin",
    ]);
  } finally {
    await sql.end();
    await database.stop();
  }
});

Deno.test("[startProjectDatabase] the variant `today` has a hosted project's catalog", async (t) => {
  const database = await startProjectDatabase({ variant: "today" });
  const sql = postgres(database.url, { max: 1, onnotice: () => {} });
  const rows = async (query: string) =>
    (await sql.unsafe(query)).map((row) => Object.values(row).map((value) => value ?? "").join(" | "));
  try {
    await t.step("roles in the platform's order, none but supabase_admin a superuser", async () => {
      assert.deepEqual(
        await rows(`
          select rolname, concat_ws(' ', case when rolsuper then 'superuser' end, case when rolinherit then 'inherit' end,
            case when rolcreaterole then 'createrole' end, case when rolcanlogin then 'login' end,
            case when rolbypassrls then 'bypassrls' end)
          from pg_roles where rolname !~ '^pg_' order by oid`),
        [
          "supabase_admin | superuser inherit createrole login bypassrls",
          "postgres | inherit createrole login bypassrls",
          "pgbouncer | inherit login",
          "supabase_replication_admin | inherit login",
          "supabase_etl_admin | inherit login",
          "supabase_read_only_user | inherit login bypassrls",
          "anon | inherit",
          "authenticated | inherit",
          "service_role | inherit bypassrls",
          "authenticator | login",
          "supabase_auth_admin | login",
          "supabase_storage_admin | createrole login",
          "dashboard_user | inherit createrole",
          "supabase_realtime_admin | createrole login",
          "supabase_privileged_role | inherit",
          "supabase_functions_admin | createrole login",
        ],
      );
    });

    await t.step("extensions, and who owns their members", async () => {
      const extensions = await rows(`
        select extname, n.nspname, extowner::regrole, (
          select string_agg(distinct pg_get_userbyid(p.proowner), ', ') from pg_proc p join pg_depend d
          on d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e' where d.refobjid = e.oid
        ) from pg_extension e join pg_namespace n on n.oid = extnamespace order by 1`);
      assert.deepEqual(extensions, [
        "pg_cron | pg_catalog | supabase_admin | supabase_admin",
        "pg_net | extensions | supabase_admin | supabase_admin",
        "pg_stat_statements | extensions | postgres | postgres",
        "pgcrypto | extensions | postgres | postgres",
        "plpgsql | pg_catalog | supabase_admin | supabase_admin",
        "supabase_vault | vault | supabase_admin | supabase_admin",
        "uuid-ossp | extensions | postgres | postgres",
      ]);
    });

    await t.step("grants of their members, by default privileges and by hand", async () => {
      await sql`create extension citext with schema extensions`;
      const acl = async (signature: string) =>
        (await rows(`
        select proacl::text from pg_proc where oid = '${signature}'::regprocedure`))[0];
      assert.equal(
        await acl("extensions.citext(boolean)"),
        "{=X/supabase_admin,supabase_admin=X/supabase_admin,postgres=X*/supabase_admin}",
      );
      assert.equal(
        await acl("extensions.armor(bytea)"),
        "{=X/postgres,postgres=X*/postgres,dashboard_user=X/postgres}",
      );
      assert.equal(
        await acl("vault._crypto_aead_det_decrypt(bytea,bytea,bigint,bytea,bytea)"),
        "{supabase_admin=X/supabase_admin,postgres=X*/supabase_admin,service_role=X/supabase_admin}",
      );
      const given = await rows(`
        select defaclrole::regrole, defaclnamespace::regnamespace, count(*) from pg_default_acl group by 1, 2 order by 1, 2`);
      assert.deepEqual(given.sort(), [
        "postgres | public | 3",
        "supabase_admin | cron | 3",
        "supabase_admin | extensions | 3",
        "supabase_admin | graphql_public | 3",
        "supabase_admin | public | 3",
        "supabase_admin | realtime | 3",
        "supabase_admin | supabase_functions | 3",
        "supabase_auth_admin | auth | 3",
        "supabase_storage_admin | storage | 3",
      ]);
    });

    await t.step("Vault keeps a secret; its table is a member whose rows are dumped", async () => {
      await sql`select vault.create_secret('hush', 'name')`;
      assert.deepEqual(
        await rows("select secret <> 'hush', decrypted_secret from vault.decrypted_secrets"),
        ["true | hush"],
      );
      assert.deepEqual(
        await rows("select unnest(extconfig)::regclass from pg_extension where extname = 'supabase_vault'"),
        ["vault.secrets"],
      );
    });

    await t.step(
      "the owner may create what the platform allows, and queues of pgmq are members of it",
      async () => {
        await sql`create extension postgres_fdw with schema extensions`;
        await assert.rejects(sql`create extension file_fdw`, /permission denied to create extension/);
        await sql`create extension pgmq`;
        await sql`select pgmq.create('mails')`;
        await sql`select pgmq.send('mails', '{"to": "a"}')`;
        assert.deepEqual(await rows("select message::text from pgmq.read('mails', 0, 5)"), ['{"to": "a"}']);
        assert.deepEqual(
          await rows(`
          select objid::regclass from pg_depend where deptype = 'e' and classid = 'pg_class'::regclass
          and refobjid = (select oid from pg_extension where extname = 'pgmq') order by objid::regclass::text`),
          ["pgmq.a_mails", "pgmq.meta", "pgmq.q_mails"],
        );
      },
    );

    await t.step(
      "`drop policy if exists` on a missing table is an error, as supautils makes it",
      async () => {
        const refused = { code: "42P01", message: 'relation "public.nowhere" does not exist' };
        await assert.rejects(sql`drop policy if exists "a b" on public.nowhere`, refused);
        await assert.rejects(sql`drop trigger if exists t on "public"."nowhere"`, refused);
        await sql`create table public.here (id int)`;
        await sql`drop policy if exists "a b" on public.here`;
      },
    );
  } finally {
    await sql.end();
    await database.stop();
  }
});

Deno.test("[startProjectDatabase] automatic RLS switches row level security on for what postgres makes", async () => {
  const database = await startProjectDatabase({ variant: "today", automaticRls: true });
  const sql = postgres(database.url, { max: 1, onnotice: () => {} });
  try {
    await sql`create table public.open_to_all (id int primary key)`;
    const [table] = await sql`select relrowsecurity as on from pg_class where relname = 'open_to_all'`;
    assert.equal(table!.on, true);
  } finally {
    await sql.end();
    await database.stop();
  }
});
