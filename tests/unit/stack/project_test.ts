/** What a hosted project's roles may and may not do, on the stack's database. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { startProjectDatabase } from "../../../stack/postgres/project.ts";

const CLAIMS =
  `set local request.jwt.claims = '{"sub":"00000000-0000-0000-0000-000000000001","role":"authenticated","email":"a@b.c"}'`;

Deno.test("[startProjectDatabase] has a hosted project's roles and rights", async (t) => {
  const database = await startProjectDatabase();
  const sql = postgres(database.url, { onnotice: () => {} });

  /** Runs statements in a transaction that is rolled back; answers the last one's rows. */
  const tried = async (...statements: string[]): Promise<Record<string, unknown>[]> => {
    let rows: Record<string, unknown>[] = [];
    const undo = new Error("undo");
    await sql.begin(async (sql) => {
      for (const statement of statements) rows = (await sql.unsafe(statement)).map((row) => ({ ...row }));
      throw undo;
    }).catch((error) => {
      if (error !== undo) throw error;
    });
    return rows;
  };
  const refused = (code: string, ...statements: string[]) =>
    assert.rejects(tried(...statements), (error: postgres.PostgresError) => {
      assert.equal(error.code, code, `${statements.at(-1)}: ${error.message}`);
      return true;
    });

  try {
    await t.step("roles and their attributes", async () => {
      const rows = await sql`
        select rolname as role, concat_ws(' ',
          case when rolsuper then 'superuser' end, case when rolcanlogin then 'login' end,
          case when rolcreaterole then 'createrole' end, case when rolcreatedb then 'createdb' end,
          case when rolreplication then 'replication' end, case when rolbypassrls then 'bypassrls' end) as may
        from pg_roles where rolname !~ '^pg_' order by rolname`;
      assert.deepEqual(Object.fromEntries(rows.map(({ role, may }) => [role, may])), {
        anon: "",
        authenticated: "",
        authenticator: "login",
        dashboard_user: "createrole createdb replication",
        postgres: "login createrole createdb replication bypassrls",
        service_role: "bypassrls",
        supabase_admin: "superuser login createrole createdb replication bypassrls",
        supabase_auth_admin: "login createrole",
        supabase_storage_admin: "login createrole",
      });
    });

    await t.step("each role that logs in has a password of its own", async () => {
      for (
        const role of [
          "supabase_admin",
          "authenticator",
          "supabase_auth_admin",
          "supabase_storage_admin",
        ] as const
      ) {
        const own = postgres(database.urlOf(role), { max: 1 });
        const [row] = await own`select current_user as me`;
        assert.equal(row!.me, role);
        await own.end();
        const url = new URL(database.urlOf(role));
        url.password = new URL(database.url).password;
        const wrong = postgres(url.href, { max: 1 });
        await assert.rejects(wrong`select 1`, (error: postgres.PostgresError) => error.code === "28P01");
        await wrong.end();
      }
    });

    await t.step("postgres makes databases, roles, extensions and objects in public", async () => {
      await sql`create database further`;
      const further = postgres(database.urlOf("postgres", "further"), { max: 1 });
      await further`create table t (id int)`;
      await further.end();
      await sql`drop database further`;
      await tried("create role r nologin", "create extension hstore with schema extensions");
      await refused("42501", "create extension file_fdw");
      await refused("42501", "create role r superuser");
    });

    await t.step("the API's roles may use what postgres makes in public", async () => {
      await tried(
        "create table t (id int generated always as identity)",
        "create function f() returns int language sql as 'select 1'",
        "set local role anon",
        "insert into t default values",
        "select f()",
      );
      await refused("42501", "set local role anon", "create table t (id int)");
    });

    await t.step("statements end after 2 min, those of the API's roles sooner", async () => {
      const [own] = await sql`select current_setting('statement_timeout') as timeout`;
      assert.equal(own!.timeout, "2min");
      const rows =
        await sql`select rolname, rolconfig from pg_roles where rolname in ('anon', 'authenticated') order by 1`;
      assert.deepEqual(rows.map(({ rolconfig }) => rolconfig), [["statement_timeout=3s"], [
        "statement_timeout=8s",
      ]]);
    });

    await t.step("auth: postgres works with the tables, and does not alter them", async () => {
      const insert = "insert into auth.users (id, email) values (gen_random_uuid(), 'a@b.c')";
      await tried(insert, "delete from auth.users");
      const trigger = "create trigger t after insert on auth.users for each row execute function public.f()";
      const make = "create function public.f() returns trigger language plpgsql as 'begin return null; end'";
      await tried(make, trigger, insert, "drop trigger t on auth.users");
      await refused("42501", "alter table auth.users add column x int");
      await refused("42501", "create table auth.t (id int)");
      await refused("42501", "select * from auth.schema_migrations where true for update");
      await refused("42501", "set local role authenticated", "select * from auth.users");
    });

    await t.step("auth: the claims of a request", async () => {
      const ask =
        "select auth.uid()::text as uid, auth.role() as role, auth.email() as email, auth.jwt() ->> 'sub' as sub";
      const uid = "00000000-0000-0000-0000-000000000001";
      assert.deepEqual(await tried(CLAIMS, "set local role authenticated", ask), [
        { uid, role: "authenticated", email: "a@b.c", sub: uid },
      ]);
      assert.deepEqual(await tried(ask), [{ uid: null, role: null, email: null, sub: null }]);
    });

    await t.step("storage: postgres writes rows, and neither deletes nor alters", async () => {
      const bucket = "insert into storage.buckets (id, name) values ('b', 'b')";
      const object = "insert into storage.objects (bucket_id, name) values ('b', 'x/y/z.tar.gz')";
      const parts =
        "select path_tokens, storage.foldername(name), storage.filename(name), storage.extension(name) from storage.objects";
      assert.deepEqual(await tried(bucket, object, parts), [
        {
          path_tokens: ["x", "y", "z.tar.gz"],
          foldername: ["x", "y"],
          filename: "z.tar.gz",
          extension: "gz",
        },
      ]);
      await refused("23505", bucket, object, object);
      await refused("42501", bucket, object, "delete from storage.objects");
      await refused("42501", bucket, "delete from storage.buckets");
      await tried(
        bucket,
        object,
        "set local storage.allow_delete_query = 'true'",
        "delete from storage.objects",
      );
      await refused("22001", `insert into storage.buckets (id, name) values ('l', repeat('x', 101))`);
      await refused("42501", "alter table storage.objects disable row level security");
      await refused("42501", "create index on storage.objects (version)");
      await refused("42501", "create table storage.t (id int)");
      await refused("42501", "set local role supabase_storage_admin");
      // Without a policy the API's roles see and write nothing.
      assert.deepEqual(
        await tried(bucket, object, "set local role authenticated", "select * from storage.objects"),
        [],
      );
      await refused("42501", bucket, "set local role anon", object);
    });

    await t.step(
      "policies: postgres makes them on tables of auth and storage, and owns those no longer than that",
      async () => {
        const policy = "create policy p on storage.objects for select to anon using (bucket_id = 'b')";
        await tried(
          policy,
          "alter policy p on storage.objects using (true)",
          "drop policy p on storage.objects",
          "create policy p on auth.users for select using (true)",
        );
        await refused("42501", policy, "alter table storage.objects disable row level security");
        await refused("42501", policy, "set local role supabase_storage_admin");
        await refused("42501", "set local role anon", policy);
        // A statement that failed has taken it back too.
        await refused(
          "42501",
          `do $$ begin ${policy.replace("bucket_id", "nonsense")}; exception when others then null; end $$`,
          "alter table storage.objects disable row level security",
        );
      },
    );

    await t.step(
      "vault: postgres and service_role keep secrets, encrypted; nobody else sees them",
      async () => {
        const make = "select vault.create_secret('hush', 'name', 'what for')";
        const read = "select name, description, decrypted_secret from vault.decrypted_secrets";
        const secret = { name: "name", description: "what for", decrypted_secret: "hush" };
        assert.deepEqual(await tried(make, read), [secret]);
        assert.deepEqual(await tried(make, "set local role service_role", read), [secret]);
        const [stored] = await tried(make, "select secret from vault.secrets");
        assert.ok(!atob(String(stored!.secret)).includes("hush"));
        const update = "select vault.update_secret((select id from vault.secrets), new_secret := 'quiet')";
        assert.deepEqual(await tried(make, update, read), [{ ...secret, decrypted_secret: "quiet" }]);
        await refused("23505", make, make);
        await refused("42501", "set local role authenticated", read);
        await refused("42501", "insert into vault.secrets (secret) values ('x')");
        await refused("42501", "select vault._key()");
      },
    );

    await t.step("cron: postgres schedules through the functions, and does not write jobs", async () => {
      await tried("select cron.schedule('j', '* * * * *', 'select 1')", "delete from cron.job_run_details");
      await tried(
        "select cron.schedule('j', '* * * * *', 'select 1')",
        "select cron.alter_job(jobid, active := false) from cron.job",
      );
      await refused(
        "42501",
        "select cron.schedule('j', '* * * * *', 'select 1')",
        "update cron.job set active = false",
      );
      await refused("42501", "set local role anon", "select cron.schedule('j', '* * * * *', 'select 1')");
      const [row] =
        await sql`select extnamespace::regnamespace::text as schema from pg_extension where extname = 'pg_cron'`;
      assert.equal(row!.schema, "pg_catalog");
    });

    await t.step("a request ends up in pg_net's queue whoever makes it", async () => {
      const [row] = await tried("set local role anon", "select net.http_get('http://127.0.0.1:1/') as id");
      assert.ok(Number(row!.id) > 0);
    });
  } finally {
    await sql.end();
    await database.stop();
  }
});
