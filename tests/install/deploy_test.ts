/**
 * `init --deploy` and `uninstall --deploy`, with the CLI's own `db push` and what stands in for the platform's part.
 */
import assert from "node:assert/strict";
import postgres from "postgres";
import { waitForRun } from "../../cli/install/wait_for_run.ts";
import type { CommandError } from "../../cli/terminal/errors.ts";
import { until } from "../e2e/project.ts";
import { uninstalledThings } from "./left_behind.ts";
import { startPlatform } from "./platform.ts";
import { makeFolder } from "./scene.ts";

const OWN = {
  "20200101000000_mine.sql": "create table public.mine (id int primary key);",
  "20991231235959_later.sql": "insert into public.mine values (1);",
};

Deno.test("init --deploy, and back", async (t) => {
  await using platform = await startPlatform();
  await using folder = await makeFolder(OWN);
  const { stack, sql, env, calls } = platform;
  const run = async (...args: string[]) => {
    calls.length = 0;
    return await folder.run(args, env);
  };
  const address = `${stack.apiUrl}/functions/v1/backup`;
  const database = ["--db-url", stack.databaseUrl];

  await t.step("an address that cannot be known is asked for before anything is deployed", async () => {
    const { code, err } = await run("init", "--versioning", "--deploy", ...database);
    assert.equal(code, 1);
    assert.match(err, /Add --function-url/);
    assert.deepEqual(calls, []);
  });
  await t.step("without the Supabase CLI it says how to install it", async () => {
    const { code, err } = await folder.run(["init", "--deploy", ...database, "--function-url", address], {
      PATH: "/usr/bin:/bin",
    });
    assert.equal(code, 1);
    assert.match(err, /Supabase CLI is not installed.*\n.*npm install --save-dev supabase/);
  });
  await t.step("a migration that fails stops it, and its words are shown", async () => {
    await folder.write("supabase/migrations/20200202000000_wrong.sql", "select 1 / 0;");
    const { code, err } = await run("init", "--deploy", ...database, "--function-url", address);
    assert.equal(code, 1);
    assert.match(err, /division by zero/);
    assert.match(err, /`supabase db push` failed with exit code 1/);
    assert.deepEqual(calls, ["db push --remote=DATABASE --yes"]);
    await Deno.remove(`${folder.root}/supabase/migrations/20200202000000_wrong.sql`);
  });
  await t.step("it migrates, deploys, configures, and makes the first backup", async () => {
    const { code, out, err } = await run("init", "--deploy", ...database, "--function-url", address);
    assert.equal(code, 0, out + err);
    assert.deepEqual(calls, ["db push --remote=DATABASE --yes", "functions deploy backup --yes"]);
    assert.match(out, /✔ backup-\d{8}-\d{6} succeeded/);
    assert.match(out, /Decide on a second copy/);
    assert.deepEqual([...await sql`select status, trigger from backup.log`], [
      { status: "succeeded", trigger: "manual" },
    ]);
    const applied = await sql`select name from supabase_migrations.schema_migrations order by version`;
    assert.deepEqual(applied.map(({ name }) => name).slice(0, 3), ["mine", "later", "create_backup"]);
    assert.equal((await sql`select from public.mine`).length, 1);
  });
  await t.step("a linked project needs no URL; what only a person can do is left", async () => {
    const { code, out } = await run("init", "--deploy");
    assert.equal(code, 0, out);
    assert.deepEqual(calls, ["db push --remote --yes", "functions deploy backup --yes"]);
    assert.match(out, /select backup\.start\('manual'\)/);
    assert.doesNotMatch(out, /supabase db push/);
  });
  await t.step(
    "a run that is under way is waited for, because a migration would wait for its locks",
    async () => {
      await sql`select backup.configure(lock_timeout_ms => 60000)`;
      const holder = postgres(stack.databaseUrl, { max: 1, onnotice: () => {} });
      const held = Promise.withResolvers<void>();
      const begun = Promise.withResolvers<void>();
      const holding = holder.begin(async (session) => {
        await session`lock table public.mine in access exclusive mode`;
        begun.resolve();
        await held.promise;
      });
      await begun.promise;
      const [started] = await sql<{ id: string }[]>`select backup.start() as id`;
      const log = async () => (await sql`select status from backup.log where id = ${started!.id}`)[0]!;
      await until("the run is running", async () => (await log()).status === "running" ? true : null);
      const running = run("init", "--deploy", ...database, "--function-url", address);
      await until("the command looks at the run", async () => {
        const [looking] = await sql`
        select from pg_stat_activity where application_name = 'supabase-backup init' and query ~ 'backup.log'`;
        return looking === undefined ? null : true;
      });
      assert.deepEqual(calls, []);
      held.resolve();
      await holding;
      await holder.end();
      const { code, out, err } = await running;
      assert.equal(code, 0, out + err);
      assert.match(err, new RegExp(`Run ${started!.id} is under way`));
      assert.deepEqual(calls, ["db push --remote=DATABASE --yes", "functions deploy backup --yes"]);
      assert.equal((await log()).status, "succeeded");
    },
  );
  await t.step("one that takes too long is named, with what to do", async () => {
    await sql`insert into backup.log (name, trigger, status, settings)
      values ('backup-20200101-000000', 'manual', 'running', '{}')`;
    await assert.rejects(() => waitForRun(sql, 0), (error: CommandError) => {
      assert.match(error.message, /^Run \d+ is still under way after 0 minutes$/);
      assert.match(error.hint, /select backup\.cancel\(\d+\)/);
      return true;
    });
    await sql`delete from backup.log where name = 'backup-20200101-000000'`;
    await waitForRun(sql, 0);
  });
  await t.step("uninstall --deploy leaves nothing but the bucket with its backups", async () => {
    // Of a drill that was under way.
    await sql`create role scratch_of_backup_drill`;
    await sql`grant scratch_of_backup_drill to current_user`;
    await sql`create database scratch_of_backup_drill owner scratch_of_backup_drill`;
    const { code, out, err } = await run("uninstall", "--deploy", ...database, "--confirm", "uninstall");
    assert.equal(code, 0, out + err);
    assert.deepEqual(calls, ["db push --remote=DATABASE --yes", "functions delete backup --yes"]);
    assert.deepEqual(await uninstalledThings(sql), []);
    const [stored] =
      await sql`select count(*)::int as objects from storage.objects where bucket_id = 'backups'`;
    assert.ok(stored!.objects > 2);
    const answer = await fetch(address, { method: "POST", headers: { apikey: env["SUPABASE_SECRET_KEY"]! } });
    assert.equal(answer.status, 404);
    await answer.body?.cancel();
  });
  await t.step("and it can be installed again, over the backups of before", async () => {
    const backups = async () =>
      (await sql`
        select distinct split_part(name, '/', 1) from storage.objects where bucket_id = 'backups'`).length;
    const before = await backups();
    const { code, out, err } = await run(
      "init",
      "--no-versioning",
      "--second-copy",
      "none",
      "--deploy",
      ...database,
      "--function-url",
      address,
    );
    assert.equal(code, 0, out + err);
    const schemas = await sql`select from pg_namespace where nspname like 'versioning%'`;
    assert.equal(schemas.length, 0);
    assert.doesNotMatch(out, /second copy/);
    assert.equal(await backups(), before + 1);
    assert.equal((await sql`select second_copy from backup.settings`)[0]!["second_copy"], "none");
  });
  await t.step(
    "a run whose function does not start says so at the first look, and goes on when it does",
    async () => {
      const path = "supabase/functions/backup/index.ts";
      const text = await folder.read(path);
      await folder.write(path, `throw new Error("broken");\n${text}`);
      await platform.deploy(folder.root);
      await sql`select backup.start()`;
      const look = async () => {
        await sql`select backup.watch()`;
        return (await sql`select status, progress from backup.log order by id desc limit 1`)[0]!;
      };
      const problem = await until("the log says it", async () => (await look()).progress.problem ?? null);
      assert.match(problem.message, /it answered 503 .*BOOT_ERROR/);
      assert.match(problem.hint, /supabase functions deploy backup/);
      await folder.write(path, text);
      await platform.deploy(folder.root);
      const { status } = await until("the run ends", async () => {
        const run = await look();
        return ["queued", "running"].includes(run.status) ? null : run;
      });
      assert.equal(status, "succeeded");
    },
  );
});

Deno.test("init --deploy does not take over what is somebody else's", async (t) => {
  await using platform = await startPlatform();
  await using folder = await makeFolder();
  const { stack, sql, env, calls } = platform;
  const database = ["--db-url", stack.databaseUrl, "--function-url", `${stack.apiUrl}/functions/v1/backup`];
  const init = () => folder.run(["init", "--versioning", "--deploy", ...database], env);

  for (
    const [schema, made, reason] of [
      ["backup", "create table backup.log (line text)", 'Schema "backup" is not ours: it holds "log"'],
      ["backup", "create type backup.kind as enum ('a')", 'Schema "backup" is not ours: it holds'],
      ["versioning", "alter schema versioning owner to service_role", "belongs to role"],
      ["versioning_private", "alter schema versioning_private owner to service_role", "belongs to role"],
    ]
  ) {
    await t.step(`${made}: refused, and nothing is written`, async () => {
      await sql.unsafe(`create schema ${schema}; ${made}`);
      const { code, err } = await init();
      assert.equal(code, 1);
      assert.ok(err.includes(reason!), err);
      assert.match(err, /alter schema NAME rename to another_name/);
      assert.deepEqual(calls, []);
      assert.equal(await folder.exists("supabase/functions/backup"), false);
      const superuser = postgres(stack.superuserUrl, { max: 1, onnotice: () => {} });
      await superuser.unsafe(
        `alter schema ${schema} rename to another_name; drop schema another_name cascade`,
      );
      await superuser.end();
    });
  }
  await t.step("a bucket with other files stays as it is; another one is used", async () => {
    await sql`insert into storage.buckets (id, name, public) values ('backups', 'backups', true)`;
    await sql`insert into storage.objects (bucket_id, name) values ('backups', 'posters/hamlet.png')`;
    const bucket = async () => (await sql`select * from storage.buckets where id = 'backups'`)[0];
    const before = await bucket();
    const refused = await init();
    assert.equal(refused.code, 1);
    assert.match(
      refused.err,
      /error: The bucket "backups" holds "posters\/hamlet\.png", which is not part of/,
    );
    const [, statement] = /`(select backup\.configure\(bucket => '[a-z-]+'\);)`/.exec(refused.err)!;
    await sql.unsafe(statement!);
    const { code, out, err } = await init();
    assert.equal(code, 0, out + err);
    assert.deepEqual(await bucket(), before);
    const [stored] = await sql`
      select count(distinct bucket_id)::int as buckets, min(bucket_id) as name from storage.objects where name like 'backup-%'`;
    assert.deepEqual({ ...stored }, { buckets: 1, name: "project-backups" });
  });
});
