/** A project where pg_cron or pg_net is switched off, or does what nobody foresaw. */
import assert from "node:assert/strict";
import type postgres from "postgres";
import { apply, startSqlProject } from "./project.ts";
import { migrations } from "./sources.ts";

Deno.test("the schema backup without the extensions that it needs", async (t) => {
  const project = await startSqlProject();
  /** As the platform changes the project, then as `postgres`; all of it is undone. */
  const step = (name: string, change: string, run: (sql: postgres.TransactionSql) => Promise<void>) =>
    t.step(name, async () => {
      const undo = new Error("undo");
      const transaction = project.superuser.begin(async (sql) => {
        await sql.unsafe(change).simple();
        await sql`set local role postgres`;
        await run(sql);
        throw undo;
      });
      await assert.rejects(transaction, (error) => {
        if (error !== undo) throw error;
        return true;
      });
    });
  try {
    await apply(project.sql, await migrations());
    await project.sql`select backup.configure(function_url => 'https://project.example/functions/v1/backup')`;

    await step("without pg_net nothing starts", "drop schema net cascade", async (sql) => {
      const error = await refusal(sql, "select backup.start()");
      assert.equal(error.message, "pg_net is not installed, so the database cannot call the function");
      assert.match(error.hint!, /create extension pg_net/);
      await scheduled(sql, {
        error_code: "not_installed",
        error_message: error.message,
        error_hint: error.hint,
      });
    });

    await step("without pg_cron nothing starts", "drop extension pg_cron", async (sql) => {
      const error = await refusal(sql, "select backup.start()");
      assert.equal(error.message, "pg_cron is not installed, so nothing can start backups");
      assert.match(error.hint!, /create extension pg_cron/);
      assert.match(
        (await refusal(sql, "select backup.schedule('0 3 * * 0')")).message,
        /^pg_cron is not installed/,
      );
      const [row] = await sql`select backup.unschedule() as found`;
      assert.equal(row!.found, false);
      await sql`select backup.watch()`;
      assert.equal((await sql`select from backup.log where finished_at is null`).length, 0);
    });

    await step(
      "a run ends although pg_cron went away",
      "select backup.start(); drop extension pg_cron",
      async (sql) => {
        const [row] =
          await sql`select backup.cancel(id) as cancelled from backup.log where finished_at is null`;
        assert.equal(row!.cancelled, true);
      },
    );

    const broken = `create or replace function net.http_post(
        url text, body jsonb default '{}', params jsonb default '{}', headers jsonb default '{}',
        timeout_milliseconds integer default 5000
      ) returns bigint language plpgsql as $$ begin raise exception 'invalid URL' using hint = 'Bad scheme'; end $$`;
    await step("an error that nobody foresaw is raised, or stands in the log", broken, async (sql) => {
      assert.equal((await refusal(sql, "select backup.start()")).message, "invalid URL");
      await scheduled(sql, {
        error_code: "internal",
        error_message: "invalid URL",
        error_hint: "Bad scheme",
      });
      assert.equal((await sql`select from cron.job where jobname = 'backup-watch'`).length, 0);
    });

    await step(
      "without pg_cron the migrations warn and go through",
      "drop schema backup cascade; drop extension pg_cron",
      async (sql) => {
        // pg_cron is there to be installed, but not for this role.
        const installing = await Deno.readTextFile(
          new URL("../../supabase/setup/extensions.sql", import.meta.url),
        );
        for (const { text } of await migrations()) {
          await sql.unsafe(text.replace(installing.trim(), "")).simple();
        }
        assert.equal((await sql`select from backup.settings`).length, 1);
      },
    );

    const setUp = (await migrations()).find(({ path }) => path.endsWith("_set_up_backup.sql"))!.text;
    for (
      const [what, change, reason] of [
        ["is public", "update storage.buckets set public = true", "it is public"],
        [
          "holds other files",
          "insert into storage.objects (bucket_id, name) values ('backups', 'posters/hamlet.png')",
          'it holds "posters/hamlet.png", which is not part of a backup',
        ],
      ]
    ) {
      await step(`a bucket of that name that ${what} is left alone`, change!, async (sql) => {
        const [before] = await sql`select to_jsonb(b) as bucket from storage.buckets b`;
        const error = await refusal(sql, setUp);
        assert.equal(error.message, `Cannot use bucket "backups" for backups: ${reason}`);
        assert.equal(error.code, "42710");
        assert.match(error.hint!, /backup\.configure\(bucket => 'project-backups'\)/);
        // The way out that the hint gives.
        await sql`select backup.configure(bucket => 'project-backups')`;
        await sql.unsafe(setUp).simple();
        assert.deepEqual(
          (await sql`select to_jsonb(b) as bucket from storage.buckets b where id = 'backups'`)[0],
          before,
        );
        const [made] =
          await sql`select public, file_size_limit from storage.buckets where id = 'project-backups'`;
        assert.deepEqual({ ...made }, { public: false, file_size_limit: 524288000n });
      });
    }
    await step(
      "a bucket of that name with backups of before stays in use",
      "insert into storage.objects (bucket_id, name) values ('backups', 'backup-20261122-030000-2/manifest.json')",
      async (sql) => void await sql.unsafe(setUp).simple(),
    );

    await step(
      "a schema of that name that is somebody else's is left alone",
      "drop schema backup cascade",
      async (sql) => {
        await sql`create schema backup`;
        await sql`create table backup.log (line text)`;
        const [first] = await migrations();
        const error = await refusal(sql, first!.text);
        assert.equal(error.message, 'Cannot install: a schema "backup" with other tables exists');
        await sql`drop table backup.log`;
        await sql.unsafe(first!.text).simple();
      },
    );
  } finally {
    await project.stop();
  }
});

/** The error of a statement, which is undone. */
async function refusal(sql: postgres.TransactionSql, statement: string): Promise<postgres.PostgresError> {
  try {
    await sql.savepoint(async (sql) => await sql.unsafe(statement).simple());
  } catch (error) {
    return error as postgres.PostgresError;
  }
  throw new Error(`no error: ${statement.slice(0, 80)}`);
}

/** A scheduled start answers null and leaves one failed row with this reason, and no active run. */
async function scheduled(sql: postgres.TransactionSql, reason: Record<string, unknown>): Promise<void> {
  const [row] = await sql`select backup.start('scheduled') as run`;
  assert.equal(row!.run, null);
  const rows = await sql`select status, error_code, error_message, error_hint from backup.log`;
  assert.deepEqual(rows.map((row) => ({ ...row })), [{ status: "failed", ...reason }]);
}
