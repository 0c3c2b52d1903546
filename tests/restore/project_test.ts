/** A whole project into a new Supabase project, as the role `postgres`, which is not a superuser there. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { checksTable } from "../../cli/compare/checks_table.ts";
import { compareRestored } from "../../supabase/functions/backup/compare/compare_restored.ts";
import { summaryOf } from "../../supabase/functions/backup/compare/check.ts";
import { expectConfirmation, preflight } from "../../cli/target/preflight.ts";
import { makePlan, WHOLE } from "../../cli/plan/plan_restore.ts";
import { runRestore } from "../../cli/restore/run_restore.ts";
import { fetchSource } from "../../cli/source/source.ts";
import { openTarget } from "../../cli/target/target.ts";
import { startStack } from "../../stack/stack.ts";
import { backedUpProject, enableWebhooks, originOf } from "./scene.ts";

Deno.test("a backup in a new Supabase project", async (test) => {
  const folder = await Deno.makeTempDir();
  const { project, name } = await backedUpProject();
  const second = await startStack({ migrate: false });
  const sql = postgres(second.databaseUrl, { max: 1, onnotice: () => {} });
  const superuser = postgres(second.superuserUrl, { max: 1 });
  await enableWebhooks(superuser);
  const source = await fetchSource(originOf(project), name, folder, () => {});
  const target = await openTarget(second.databaseUrl);
  const backup = {
    name,
    serverVersion: source.archive.header.serverVersion,
    database: "postgres",
    projectUrl: project.stack.apiUrl,
  };
  try {
    // The platform's tables change with its releases: one column is gone, one is new.
    await superuser`alter table auth.users drop column phone_change_token, add column is_new boolean not null default true`;
    const plan = await makePlan(source.archive, target, WHOLE);

    await test.step("tells what the new project has otherwise", async () => {
      assert.ok(
        plan.notes.includes(
          "auth.users: the target has no column phone_change_token; the values are left out",
        ),
        plan.notes.join(),
      );
      await superuser`create extension citext with schema extensions`;
      const moved = await openTarget(second.databaseUrl);
      const { notes } = await makePlan(source.archive, moved, WHOLE);
      await moved.session.close();
      await superuser`drop extension citext`;
      assert.ok(
        notes.some((note) =>
          /extension "citext" is in schema "extensions" here and in "public" in the backup/.test(note)
        ),
        notes.join(),
      );
      const rows = async (options: Partial<typeof WHOLE>) =>
        (await makePlan(source.archive, target, { ...WHOLE, ...options })).rows.map(({ tag }) => tag);
      assert.ok(!(await rows({})).includes("objects"));
      assert.ok((await rows({ withFiles: true })).includes("objects"));
    });

    await test.step("is let in: the project is empty, and not the one that was backed up", async () => {
      assert.deepEqual([target.kind, target.superuser], ["supabase", false]);
      assert.deepEqual(await preflight(target, backup, false), []);
      const newer = { ...backup, serverVersion: "99.1 (of tomorrow)" };
      const [older, ...others] = await preflight(target, newer, false);
      assert.match(older!.reason, /its server is version \d+, older than the backup's 99/);
      assert.deepEqual(others, []);
      assert.throws(() => expectConfirmation(target, [older!], undefined, false), /must be confirmed/);
      assert.throws(() => expectConfirmation(target, [older!], "other", true), /"other" is not "/);
      expectConfirmation(target, [older!], target.address.database, false);
      assert.throws(() => expectConfirmation(target, [], "other", true), /"other" is not "/);
      expectConfirmation(target, [], undefined, false);
    });

    await test.step("restores without an error, in one transaction, and compares with nothing failed and nothing unchecked", async () => {
      const account = await runRestore(source.archive, target, plan, WHOLE);
      assert.equal(account.outcome, "restored", JSON.stringify(account, null, 2));
      const checks = await compareRestored(source.archive, source.manifest, plan, target);
      const { text } = summaryOf(checks);
      assert.match(text, /^\d+ passed, 0 failed, \d+ skipped, 0 unchecked$/, checksTable(checks).join("\n"));
      for (
        const what of ["definitions: policy", "definitions: acl", "rows: auth.users", "rows: public.members"]
      ) {
        assert.ok(checks.some((check) => check.what === what && check.outcome === "passed"), what);
      }
    });

    await test.step("has the grants of the source and no more, also for tables made later", async () => {
      assert.equal((await sql`select from storage.objects`).length, 0, "nobody asked for rows of files");
      const may = async (role: string, table: string) =>
        (await sql`select has_table_privilege(${role}, ${table}, 'select') as may`)[0]!.may;
      assert.equal(await may("anon", "public.members"), true);
      assert.equal(await may("anon", "public.diary"), false);
      await sql`create table public.later ()`;
      assert.equal(await may("anon", "public.later"), false);
      assert.equal(await may("authenticated", "public.later"), true);
      await sql`drop table public.later`;
      const [whisper] =
        await sql`select has_function_privilege('anon', 'public.whisper()', 'execute') as may`;
      assert.equal(whisper!.may, false);
    });

    await test.step("has its users, and what hangs on the platform's tables works", async () => {
      await sql`insert into auth.users (id, email) values ('00000000-0000-0000-0000-0000000000aa', 'new@example.org')`;
      const [member] =
        await sql`select nickname from public.members where user_id = '00000000-0000-0000-0000-0000000000aa'`;
      assert.equal(member!.nickname, "new");
      const [user] =
        await sql`select raw_user_meta_data, email_change_confirm_status from auth.users where email = 'user2@example.org'`;
      assert.deepEqual({ ...user }, { raw_user_meta_data: { a: [1, null] }, email_change_confirm_status: 0 });
      assert.equal((await sql`select from pg_policies where policyname = 'members read photos'`).length, 1);
      assert.equal((await sql`select from storage.buckets where id = 'photos'`).length, 1);
      const [published] =
        await sql`select tablename from pg_publication_tables where pubname = 'supabase_realtime'`;
      assert.equal(published!.tablename, "diary");
      const [owner] = await sql`select tableowner from pg_tables where tablename = 'entries'`;
      assert.equal(owner!.tableowner, "accountant");
    });

    await test.step("has its jobs, and none of them is active until the one statement", async () => {
      const jobs = async () => await sql`select jobname, active from cron.job order by jobname nulls first`;
      assert.equal((await jobs()).length, plan.jobs.length);
      assert.ok((await jobs()).every(({ active }) => !active));
      const names = (await jobs()).map(({ jobname }) => jobname);
      for (const wanted of [null, "backup-weekly", "nightly"]) {
        assert.ok(names.includes(wanted), String(wanted));
      }
      const toDo = plan.toDo.map(({ sql }) => sql);
      const on = toDo.find((statement) => /alter_job/.test(statement))!;
      await sql.unsafe(on);
      const off = (await jobs()).filter(({ active }) => !active).map(({ jobname }) => jobname);
      assert.deepEqual(off, ["retired"], "what was off in the source stays off");
      assert.ok(toDo.includes("select vault.create_secret('…', 'api_key', 'the key of the API')"));
    });

    await test.step("has its webhooks, and calls nobody until the one statement", async () => {
      const calls = async () =>
        Number((await sql`select count(*) as calls from supabase_functions.hooks`)[0]!.calls);
      await sql`insert into public.diary (text) values ('quiet')`;
      assert.equal(await calls(), 0);
      await sql.unsafe(plan.toDo.find(({ what }) => what === "enable a webhook")!.sql);
      await sql`insert into public.diary (text) values ('loud')`;
      assert.equal(await calls(), 1);
    });

    await test.step("backs itself up once its function is named: it waits for no run of the source's", async () => {
      const [settings] = await sql`select function_url from backup.settings`;
      assert.equal(settings!.function_url, null);
      const [run] = await sql`select status from backup.log where name = ${name}`;
      assert.equal(run!.status, "cancelled");
      await sql`select backup.configure(function_url => ${`${second.apiUrl}/functions/v1/backup`})`;
      const [started] = await sql`select backup.start('manual') as id`;
      await sql`select backup.cancel(${started!.id})`;
    });

    await test.step("is refused a second time, and by the project that was backed up", async () => {
      const [again] = await preflight(target, backup, false);
      assert.match(
        again!.reason,
        /it is not empty: \d+ objects in backup \(\d+\), books \(\d+\), public \(\d+\).*: days, .*, 4 users in auth\.users/,
      );
      const home = await openTarget(project.stack.databaseUrl);
      const reasons = (await preflight(home, backup, false)).map(({ reason }) => reason);
      assert.match(
        reasons[0]!,
        new RegExp(`it is the database that was backed up: its backup\\.log has ${name}`),
      );
      await home.session.close();
    });

    await test.step("goes back in place with --clean, and what it does not hold stays as it is", async () => {
      await sql`update public.members set nickname = 'changed'`;
      await sql`drop table books.entries cascade`;
      await sql`create view books.since as select day from books.days`;
      await sql`alter view books.since owner to accountant`;
      await sql`comment on view books.since is 'mine'`;
      await sql`create table public.mine as select 1 as a`;
      await sql`create table books.mine as select 2 as a`;
      await sql`grant all on public.diary to anon`;
      const again = await openTarget(second.databaseUrl);
      const options = { ...WHOLE, clean: true, withFiles: true };
      const plan = await makePlan(source.archive, again, options);
      const account = await runRestore(source.archive, again, plan, options);
      assert.equal(account.outcome, "restored", JSON.stringify(account, null, 2));
      const checks = await compareRestored(source.archive, source.manifest, plan, again, { wasEmpty: false });
      const strict = await compareRestored(source.archive, source.manifest, plan, again);
      await again.session.close();
      const wrong = (found: typeof checks) =>
        found.filter(({ outcome }) => outcome === "failed").map(({ detail }) => detail);
      assert.deepEqual(wrong(checks), [], checksTable(checks).join("\n"));
      assert.deepEqual(wrong(strict).sort(), [
        "books.VIEW since is not in the backup",
        "books.mine is not in the backup; public.mine is not in the backup",
        "books.since is not in the backup",
        "public.TABLE mine is not in the backup",
      ]);
      assert.deepEqual([
        (await sql`select a from public.mine`)[0]!.a,
        (await sql`select a from books.mine`)[0]!.a,
      ], [1, 2]);
      assert.equal((await sql`select from storage.objects where name = 'cat.png'`).length, 1, "as asked for");
      const [since] =
        await sql`select viewowner, obj_description('books.since'::regclass) as comment from pg_views where viewname = 'since'`;
      assert.deepEqual({ ...since }, { viewowner: "accountant", comment: "mine" }, "made again as it was");
      // Users who came since stay, and so do jobs.
      assert.equal((await sql`select from auth.users`).length, 4);
      assert.equal(
        (await sql`select from cron.job where jobname is null or jobname in ('nightly', 'backup-weekly')`)
          .length,
        3,
      );
    });
  } finally {
    await Promise.allSettled([
      target.session.close(),
      sql.end({ timeout: 1 }),
      superuser.end({ timeout: 1 }),
    ]);
    await second.stop();
    await project[Symbol.asyncDispose]();
    await Deno.remove(folder, { recursive: true });
  }
});
