/** The real CLI takes the migrations: `supabase db push` against a project's database, twice. */
import assert from "node:assert/strict";
import { apply, startSqlProject } from "./project.ts";
import { schemaText, supabase } from "./schema_text.ts";
import { migrations, schemas } from "./sources.ts";

Deno.test("supabase db push", async (t) => {
  const [pushed, declared] = await Promise.all([startSqlProject(), startSqlProject()]);
  const push = (...options: string[]) =>
    supabase("db", "push", `--remote=${pushed.url}`, "--yes", ...options);
  try {
    await t.step("applies every migration", async () => {
      await push();
      const versions = await pushed.sql`
        select version || '_' || name || '.sql' as file from supabase_migrations.schema_migrations order by version`;
      assert.deepEqual(
        versions.map(({ file }) => `supabase/migrations/${file}`),
        (await migrations()).map(({ path }) => path),
      );
    });

    await t.step("makes what the declarative schemas say", async () => {
      await apply(declared.sql, await schemas());
      assert.equal(await schemaText(pushed), await schemaText(declared));
    });

    await t.step("leaves a project that only lacks its function's address", async () => {
      await pushed
        .sql`select backup.configure(function_url => 'https://project.example/functions/v1/backup')`;
      const [run] = await pushed.sql`select backup.start() as id`;
      assert.ok(run!.id > 0);
      const jobs = await pushed.sql`select jobname from cron.job where active order by 1`;
      assert.deepEqual(jobs.map(({ jobname }) => jobname), ["backup-daily", "backup-watch", "backup-weekly"]);
      const tables = await pushed.sql`select from pg_class where relnamespace = 'public'::regnamespace`;
      assert.equal(tables.length, 0, "the demo's tables are no part of the product");
    });

    await t.step("has nothing to do the second time", async () => {
      assert.match(await push(), /up to date/i);
    });

    await t.step("brings no example along, not even with seeds", async () => {
      await push("--include-seed");
      const relations = await pushed.sql`select from pg_class where relnamespace = 'public'::regnamespace`;
      assert.equal(relations.length, 0);
    });
  } finally {
    await Promise.all([pushed.stop(), declared.stop()]);
  }
});
