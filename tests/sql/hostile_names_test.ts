/**
 * Nobody's code runs with the rights of the schema backup's owner: every name that its functions, triggers and jobs
 * resolve is the system's or ours, whatever a caller, the owner of another schema or a role with nothing but TEMP has
 * made.
 */
import assert from "node:assert/strict";
import postgres from "postgres";
import { apply, startSqlProject } from "./project.ts";
import { migrations } from "./sources.ts";

/** Types that bodies name in casts and declarations and that are no words of the grammar, as `bigint` is. */
const TYPES = ["text", "jsonb", "uuid", "timestamptz", "bytea", "date", "regclass", "name", "oid"];

/** What a caller with the service key may call, and what pg_cron calls as the owner. */
const VERBS = [
  "backup.configure(level => 5)",
  "backup.schedule('0 3 * * 0')",
  "backup.schedule_check()",
  "backup.start('scheduled')",
  "backup.start()",
  "backup.cancel((select max(id) from backup.log))",
  "(select count(*) from backup.health)",
  "backup.unschedule()",
];
const JOBS = [
  "backup.start('scheduled')",
  "backup.watch()",
  "backup.check()",
];

/** A function that anybody may make: it writes down as whom it runs. */
const WITNESS = `
  create function %s.witness(what text) returns boolean language plpgsql as $$
  begin
    insert into public.witnesses values (current_user::pg_catalog.name::pg_catalog.text, what);
    return true;
  exception when others then return true;
  end $$;`;

Deno.test("names that others have made, and the schema backup", async (t) => {
  const project = await startSqlProject();
  const { superuser } = project;
  const witnesses = async () =>
    (await superuser`select distinct role, what from public.witnesses where role <> 'service_role'`).map((
      row,
    ) => ({ ...row }));
  const fresh = () => superuser`truncate public.witnesses`;
  try {
    await apply(project.sql, await migrations());
    await superuser.unsafe(`
      create table public.witnesses (role text, what text);
      grant all on public.witnesses to public;
      create role mallory login password 'mallory';
      grant create on database postgres to mallory;
      create role tenant_owner login password 'tenant_owner';
      create schema tenant authorization tenant_owner`).simple();
    await project
      .sql`select backup.configure(function_url => 'https://project.example/functions/v1/backup', second_copy => 's3')`;
    const as = (role: string) =>
      postgres(project.url.replace(/postgres:[^@]*@/, `${role}:${role}@`), { max: 1, onnotice: () => {} });

    await t.step("types of a caller's pg_temp are not what bodies and casts mean", async () => {
      await superuser.begin(async (sql) => {
        await sql`set local role service_role`;
        await sql.unsafe(WITNESS.replace("%s", "pg_temp")).simple();
        for (const type of TYPES) {
          await sql.unsafe(
            `create domain pg_temp.${type} as pg_catalog.${type} check (pg_temp.witness('${type}'))`,
          );
        }
        for (const verb of VERBS) await sql.savepoint((sql) => sql.unsafe(`select ${verb}`)).catch(() => {});
        await sql`reset role`;
      });
      assert.deepEqual(await witnesses(), []);
    });

    await fresh();
    await t.step(
      "a search_path that begins with another's schema changes nothing for jobs and verbs",
      async () => {
        const owner = as("tenant_owner");
        try {
          await owner.unsafe(WITNESS.replace("%s", "tenant")).simple();
          await owner.unsafe(`
          create function tenant.eq(text, text) returns boolean language sql as $$ select tenant.witness('= of text') $$;
          create operator tenant.= (leftarg = text, rightarg = text, function = tenant.eq);
          create function tenant.eq(bigint, bigint) returns boolean language sql as $$ select tenant.witness('= of bigint') $$;
          create operator tenant.= (leftarg = bigint, rightarg = bigint, function = tenant.eq);
          create function tenant.arrow(jsonb, text) returns text language sql as $$ select tenant.witness('->>')::text $$;
          create operator tenant.->> (leftarg = jsonb, rightarg = text, function = tenant.arrow);
          create function tenant.now() returns timestamptz language sql as $$ select tenant.witness('now'); select pg_catalog.now() $$;
          create function tenant.clock_timestamp() returns timestamptz language sql as
            $$ select tenant.witness('clock_timestamp'); select pg_catalog.clock_timestamp() $$;
          create function tenant.to_regclass(text) returns regclass language sql as $$ select tenant.witness('to_regclass'); select null::regclass $$;
          create function tenant.format(text, text) returns text language sql as $$ select tenant.witness('format')::text $$;
          create function tenant.hashtext(text) returns integer language sql as $$ select tenant.witness('hashtext'); select 1 $$;
          create domain tenant.text as pg_catalog.text check (tenant.witness('text'));
          create domain tenant.jsonb as pg_catalog.jsonb check (tenant.witness('jsonb'));
          grant usage on schema tenant to public`).simple();
        } finally {
          await owner.end();
        }
        const session = project.session();
        for (const call of [...VERBS, ...JOBS]) {
          await session.begin(async (sql) => {
            await sql`set local search_path = tenant, pg_catalog, public`;
            await sql.unsafe(`select ${call}`);
          }).catch(() => {});
        }
        assert.deepEqual(await witnesses(), []);
        const commands = await superuser<
          { command: string }[]
        >`select command from cron.job where jobname like 'backup-%'`;
        for (const { command } of commands) assert.match(command, /^select backup\.\w+\(('scheduled')?\)$/);
      },
    );

    await fresh();
    await t.step(
      "schemas that look like pg_cron, pg_net and Storage are not called when they are another's",
      async () => {
        const undone = new Error("undone");
        await assert.rejects(
          superuser.begin(async (sql) => {
            await sql.unsafe(
              "drop extension pg_cron cascade; drop schema net cascade; drop schema storage cascade",
            ).simple();
            await sql`set local role mallory`;
            await sql.unsafe(`
            create schema evil; ${WITNESS.replace("%s", "evil")}
            create schema cron; create schema net; create schema storage;
            create view cron.job as select 1::bigint as jobid, '* * * * *'::text as schedule, 'backup.start('::text as command, 'backup-weekly'::text as jobname,
              current_database()::text as database, 'postgres'::text as username, evil.witness('cron.job') as active;
            create view cron.job_run_details as select 1::bigint as jobid, 1::bigint as runid, 'failed'::text as status,
              evil.witness('cron.job_run_details')::text as return_message;
            create function cron.schedule(text, text, text) returns bigint language sql as $$ select evil.witness('cron.schedule'); select 1::bigint $$;
            create function cron.unschedule(bigint) returns boolean language sql as $$ select evil.witness('cron.unschedule') $$;
            create function cron.alter_job(job_id bigint, schedule text default null, command text default null, database text default null,
              username text default null, active boolean default null) returns void language sql as $$ select evil.witness('cron.alter_job') $$;
            create view net.http_request_queue as select evil.witness('net.http_request_queue') as w;
            create view net._http_response as select 1::bigint as id, 200 as status_code, ''::text as content, null::text as error_msg, now() as created
              where evil.witness('net._http_response');
            create function net.http_post(url text, body jsonb default '{}', params jsonb default '{}', headers jsonb default '{}',
              timeout_milliseconds integer default 5000) returns bigint language sql as $$ select evil.witness('net.http_post ' || headers::text); select 1::bigint $$;
            create view storage.buckets as select 'backups'::text as id, false as public, 524288000::bigint as file_size_limit where evil.witness('storage.buckets');
            create view storage.objects as select 'backups'::text as bucket_id, 'x/manifest.json'::text as name, '{}'::jsonb as metadata, ''::text as version,
              now() as updated_at where evil.witness('storage.objects');
            grant usage on schema evil, cron, net, storage to public;
            grant select on all tables in schema cron, net, storage to public`).simple();
            await sql`set local role postgres`;
            for (
              const call of [
                ...VERBS,
                ...JOBS,
                "backup._storage_files()",
                "(select count(*) from backup._storage_files())",
              ]
            ) {
              await sql.savepoint((sql) => sql.unsafe(`select ${call}`)).catch(() => {});
            }
            await sql`reset role`;
            const seen = await sql`select distinct role, what from public.witnesses`;
            assert.deepEqual(seen.map((row) => ({ ...row })), []);
            throw undone;
          }),
          (error) => {
            if (error !== undone) throw error;
            return true;
          },
        );
      },
    );

    await t.step("nobody without rights of ours holds starts, checks and copies up", async () => {
      const mallory = as("mallory");
      try {
        for (const lock of ["start", "events", "copies", "alerts"]) {
          await mallory`select pg_advisory_lock(hashtext(${`backup.${lock}`}))`;
        }
        await project.sql`select backup.cancel(id) from backup.log where finished_at is null`;
        await project.sql`set lock_timeout = '2s'`;
        const [run] = await project.sql`select backup.start('scheduled') as id`;
        assert.ok(run!.id > 0);
        await project.sql`select backup.watch()`;
        await project.sql`select backup.cancel(${run!.id})`;
        await project.sql`select backup.check()`;
        await project.sql`select backup.copy()`;
        await project.sql`reset lock_timeout`;
      } finally {
        await mallory.end();
      }
    });

    await fresh();
    await t.step("a trigger on pg_net's queue, which any role can make, is not fired", async () => {
      const mallory = as("mallory");
      try {
        await mallory.unsafe(`
          create function pg_temp.fire() returns trigger language plpgsql as $$
          begin insert into public.witnesses values (current_user, 'trigger'); return new; end $$;
          create trigger tell before insert on net.http_request_queue for each row execute function pg_temp.fire()`)
          .simple();
        await assert.rejects(
          project.sql`select backup.start()`,
          /the trigger "tell" on net.http_request_queue/,
        );
        await project.sql`select backup.start('scheduled')`;
        const [row] = await project.sql`select error_code from backup.log order by id desc limit 1`;
        assert.equal(row!.error_code, "net_unsafe");
        const [checked] = await project.sql`select backup.check() as verdict`;
        assert.equal(checked!.verdict, "failing");
        await assert.rejects(project.sql`select backup.copy()`, /the trigger "tell"/);
        assert.deepEqual(await witnesses(), []);
      } finally {
        await mallory.end();
      }
    });

    await t.step("a schema backup that another role owns is not filled", async () => {
      const undone = new Error("undone");
      await assert.rejects(
        superuser.begin(async (sql) => {
          await sql`drop schema backup cascade`;
          await sql`create schema backup authorization mallory`;
          await sql`set local role postgres`;
          const [first] = await migrations();
          await assert.rejects(
            sql.savepoint((sql) => sql.unsafe(first!.text).simple()),
            /the schema "backup" belongs to another role/,
          );
          throw undone;
        }),
        (error) => error === undone,
      );
    });

    await t.step("a job of the same name that is another's is not taken for ours", async () => {
      await project.sql`select backup.unschedule()`;
      await superuser.unsafe(`
        grant usage on schema cron to mallory;
        insert into cron.job (schedule, command, nodename, nodeport, database, username, active, jobname)
        values ('0 3 * * 0', 'select backup.start()', 'localhost', 5432, 'postgres', 'mallory', true, 'backup-weekly')`)
        .simple();
      const [health] = await project.sql`select reasons from backup.health`;
      const codes = health!.reasons.map(({ code }: { code: string }) => code);
      assert.ok(codes.includes("job_missing"), codes.join());
      assert.equal(
        (await project.sql`select facts ->> 'schedule' as schedule from backup.health`)[0]!.schedule,
        null,
      );
    });
  } finally {
    await project.stop();
  }
});
