/** The demo's theatre: drilled, restored into a new project by the command, and a row taken back from a copy. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { startStack } from "../../stack/stack.ts";
import { runCli } from "../e2e/command.ts";
import { type Project, startProject } from "../e2e/project.ts";
import { THEATRE } from "../theatre.ts";

const TABLES = ["spectacles", "membres_equipe", "medias"];

const run = (project: Project, env: Record<string, string>, command: string, ...args: string[]) =>
  runCli(project, command, args, env);

Deno.test("the demo's database", async (test) => {
  const folder = await Deno.makeTempDir();
  await using project = await startProject({ load: THEATRE });
  const backup = await project.backUp();
  const second = await startStack({ migrate: false });
  const sql = postgres(second.databaseUrl, { max: 1, onnotice: () => {} });
  const counts = async (from: postgres.Sql) =>
    await Promise.all(
      TABLES.map(async (table) => Number((await from`select count(*) from public.${from(table)}`)[0]!.count)),
    );
  const to = { RESTORE_DATABASE_URL: second.databaseUrl };
  const work = ["--work-dir", `${folder}/work`];
  try {
    assert.equal(backup.status, "succeeded", backup.error_message ?? "");

    await test.step("passes a drill, which is reported and recorded", async () => {
      await Deno.mkdir(`${folder}/checks`);
      await Deno.writeTextFile(`${folder}/checks/plays.sql`, "select count(*) > 0 from public.spectacles");
      const { code, out, error } = await run(
        project,
        { SUPABASE_DB_URL: project.stack.databaseUrl },
        "drill",
        "--checks",
        `${folder}/checks`,
        "--report",
        `${folder}/drills`,
        ...work,
      );
      assert.equal(code, 0, out + error);
      assert.match(out, new RegExp(`✔ ${backup.name}: \\d+ passed, 0 failed, \\d+ skipped, 0 unchecked`));
      const [row] = await project
        .sql`select name, passed, failed, skipped, unchecked, checks, finished_at >= started_at as ended from backup.drills`;
      assert.deepEqual([row!.name, row!.failed, row!.unchecked, row!.ended], [backup.name, 0, 0, true]);
      assert.ok(row!.passed > 50 && row!.checks.length === row!.skipped);
      const reports = (await Array.fromAsync(Deno.readDir(`${folder}/drills`), ({ name }) => name)).sort();
      assert.match(reports.join(), /^drill-\d{14}-backup-[\d-]+\.json,drill-\d{14}-backup-[\d-]+\.md$/);
      const report = JSON.parse(await Deno.readTextFile(`${folder}/drills/${reports[0]}`));
      assert.deepEqual([report.backup, report.counts.passed], [backup.name, row!.passed]);
      const own = report.checks.find(({ what }: { what: string }) => what === "own check: plays.sql");
      assert.equal(own?.outcome, "passed");
      assert.match(
        await Deno.readTextFile(`${folder}/drills/${reports[1]}`),
        /^# Drill of backup-[\s\S]*\*\*Passed\.\*\*/,
      );
    });

    await test.step("fails a drill that finds something wrong, with exit code 1, and records that too", async () => {
      await Deno.writeTextFile(`${folder}/checks/wrong.sql`, "select count(*) = 0 from public.spectacles");
      const { code, error } = await run(
        project,
        { SUPABASE_DB_URL: project.stack.databaseUrl },
        "drill",
        "--checks",
        `${folder}/checks`,
        "--report",
        `${folder}/drills`,
        ...work,
        "--target-db-url",
        project.stack.superuserUrl,
      );
      assert.deepEqual([code, /A check failed/.test(error)], [1, true], error);
      const [row] = await project
        .sql`select failed, target, checks from backup.drills order by id desc limit 1`;
      assert.equal(row!.failed, 1);
      assert.match(row!.target, /a scratch database on 127\.0\.0\.1/);
      assert.ok(row!.checks.some(({ what }: { what: string }) => what === "own check: wrong.sql"));
      assert.equal(
        (await project.superuser`select from pg_database where datname like 'drill%'`).length,
        0,
        "the scratch database is gone",
      );
    });

    await test.step("is shown before a restore into a new project, with rows there and in the backup", async () => {
      const { code, out, error } = await run(
        project,
        to,
        "restore",
        "--backup",
        "latest",
        "--dry-run",
        ...work,
      );
      assert.equal(code, 0, error);
      for (const [index, count] of (await counts(project.sql)).entries()) {
        assert.match(
          out,
          new RegExp(`public\\.${TABLES[index]} +│ +– │ +${count.toLocaleString("en-US")}$`, "m"),
        );
      }
    });

    await test.step("is restored into it and compared, nothing failed and nothing unchecked", async () => {
      const { code, out, error } = await run(
        project,
        to,
        "restore",
        "--backup",
        "latest",
        "--check",
        ...work,
      );
      assert.equal(code, 0, out + error);
      assert.match(out, /\d+ passed, 0 failed, \d+ skipped, 0 unchecked/);
      assert.deepEqual(await counts(sql), await counts(project.sql));
    });

    await test.step("gives back a table that went with drop … cascade, and what hung on it", async () => {
      await sql`drop table public.spectacles cascade`;
      const { code, out, error } = await run(
        project,
        to,
        "restore",
        "--backup",
        "latest",
        "--table",
        "public.spectacles",
        "--confirm",
        "postgres",
        "--with-dependents",
        "--check",
        ...work,
      );
      assert.equal(code, 0, out + error);
      assert.match(out, /\d+ passed, 0 failed, \d+ skipped, 0 unchecked/);
      const keys = async (from: postgres.Sql) =>
        (await from`select conname from pg_constraint where confrelid = 'public.spectacles'::regclass order by 1`)
          .map(({ conname }) => conname);
      assert.deepEqual(await keys(sql), await keys(project.sql));
      assert.ok((await keys(sql)).length >= 4);
    });

    await test.step("puts the three tables back into their place, and changes of them are recorded as before", async () => {
      await sql`update public.spectacles set sous_titre = 'overwritten'`;
      await sql`delete from public.medias`;
      const { code, out, error } = await run(
        project,
        to,
        "restore",
        "--backup",
        "latest",
        "--clean",
        "--confirm",
        "postgres",
        "--check",
        ...TABLES.flatMap((table) => ["--table", `public.${table}`]),
        ...work,
      );
      assert.equal(code, 0, out + error);
      assert.match(out, /^again .*fk constraint public\.articles articles_spectacle_id_fkey/m);
      assert.match(out, /public\.medias +│ +0 │/);
      assert.deepEqual(await counts(sql), await counts(project.sql));
      const [play] = await sql`update public.spectacles set sous_titre = 'changed' returning id`;
      const versions = await sql`select operation from versioning.versions('public.spectacles', ${
        play!.id
      }) order by version`;
      assert.equal(versions.at(-1)!.operation, "update");
    });

    await test.step("goes back in place, in the very project, whose backups go on", async () => {
      await project.sql`update public.spectacles set sous_titre = 'overwritten'`;
      const [before] = await project.sql`select function_url from backup.settings`;
      const { code, out, error } = await run(
        project,
        { RESTORE_DATABASE_URL: project.stack.databaseUrl },
        "restore",
        "--backup",
        backup.name,
        "--clean",
        "--confirm",
        "postgres",
        "--check",
        ...work,
      );
      assert.equal(code, 0, out + error);
      assert.match(out, /note: .*backups that were made since .*supabase-backup log --rebuild/);
      const [after] = await project
        .sql`select function_url, (select count(*)::int from backup.log) as runs from backup.settings`;
      assert.deepEqual({ ...after }, { ...before, runs: 0 });
      const rebuilt = await run(project, { SUPABASE_DB_URL: project.stack.databaseUrl }, "log", "--rebuild");
      assert.match(rebuilt.out, new RegExp(`${backup.name} +│ added`), rebuilt.error);
      const next = await project.backUp();
      assert.equal(next.status, "succeeded", next.error_message ?? "");
    });

    await test.step("gives a row back from a copy beside the living table, in the very project", async () => {
      const [play] = await project.sql`select id, titre from public.spectacles limit 1`;
      await project.sql`update public.spectacles set titre = 'lost' where id = ${play!.id}`;
      const { code, error } = await run(
        project,
        { RESTORE_DATABASE_URL: project.stack.databaseUrl },
        "restore",
        "--backup",
        "latest",
        "--table",
        "public.spectacles",
        "--into-schema",
        "restored",
        ...work,
      );
      assert.equal(code, 0, error);
      await project.sql`
        update public.spectacles now set titre = old.titre from restored.spectacles old where old.id = now.id and old.titre <> now.titre`;
      assert.equal(
        (await project.sql`select titre from public.spectacles where id = ${play!.id}`)[0]!.titre,
        play!.titre,
      );
      const [closed] = await project.sql`select has_schema_privilege('anon', 'restored', 'usage') as open`;
      assert.equal(closed!.open, false);
    });

    await test.step("is refused without words where nobody can be asked, and names the options", async () => {
      const nothing = await run(project, {}, "restore", ...work);
      assert.equal(nothing.code, 1);
      assert.match(nothing.error, new RegExp(backup.name));
      assert.match(nothing.error, /--backup NAME, or --backup latest/);
      const nowhere = await run(project, {}, "restore", "--backup", "latest", ...work);
      assert.match(nowhere.error, /--target-db-url URL, or RESTORE_DATABASE_URL/);
      const wrong = await run(project, to, "restore", "--into-schema", "a");
      assert.deepEqual([wrong.code, /needs --table/.test(wrong.error)], [
        2,
        true,
      ]);
    });
  } finally {
    await sql.end({ timeout: 1 });
    await second.stop();
    await Deno.remove(folder, { recursive: true });
  }
});
