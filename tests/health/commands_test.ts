/** `health`, `prune` and `log --rebuild`, as a person types them. */
import assert from "node:assert/strict";
import { runCli } from "../e2e/command.ts";
import { isFunction, startWatched, type Watched } from "./scene.ts";

const run = (project: Watched, command: string, ...args: string[]) => runCli(project, command, args);

Deno.test("commands about the backups' health", async (test) => {
  await using project = await startWatched();
  const { sql, superuser, stack } = project;
  const database = ["--db-url", stack.databaseUrl];
  const stored = async () => Object.keys(await project.stored()).sort();

  await test.step("health says what is wrong and what to do, and exits as monitoring wants it", async () => {
    const failing = await run(project, "health");
    assert.equal(failing.code, 2, failing.error);
    assert.match(failing.out, /^FAILING: No verified backup exists\n/);
    assert.match(failing.out, /supabase-backup backup/);
    for (let n = 0; n < 3; n++) assert.equal((await project.backUp("scheduled")).status, "succeeded");
    const ok = await run(project, "health");
    assert.deepEqual(
      [ok.code, /^OK: newest backup backup-\d{8}-\d{6}\n/.test(ok.out)],
      [0, true],
      ok.out + ok.error,
    );
    await sql`select backup.configure(max_attempts => 1)`;
    const warning = await run(project, "health", "--json");
    assert.equal(warning.code, 1);
    const { verdict, reasons } = JSON.parse(warning.out);
    assert.equal(verdict, "warning");
    assert.deepEqual(Object.keys(reasons[0]).sort(), ["code", "hint", "message", "severity"]);
    await sql`select backup.configure(max_attempts => 3)`;
  });

  await test.step("health is unknown where nobody can be asked, and the database can still be", async () => {
    project.fault = (request) => isFunction(request) ? new Response("{}", { status: 404 }) : null;
    const unknown = await run(project, "health");
    assert.equal(unknown.code, 3);
    assert.match(unknown.error, /answered 404[\s\S]*supabase functions deploy backup/);
    const asked = await run(project, "health", ...database);
    assert.equal(asked.code, 0, asked.error);
    project.fault = null;
    assert.equal((await run(project, "health", "--nonsense")).code, 3, "wrong usage is not a verdict either");
    const wrong = await run(
      project,
      "health",
      "--db-url",
      "postgresql://postgres:secret-word@127.0.0.1:1/postgres",
    );
    assert.equal(wrong.code, 3);
    assert.ok(!(wrong.error + wrong.out).includes("secret-word"));
  });

  await test.step("prune shows what stays and what goes, with reasons, and removes nothing in a dry run", async () => {
    const before = await stored();
    await sql`select backup.configure(keep_scheduled => 1)`;
    await sql`select backup.pin(${before[0]!})`;
    const { code, out } = await run(project, "prune", "--dry-run");
    assert.equal(code, 0);
    assert.match(out, new RegExp(`${before[2]} .*keep .*newest good, scheduled 1 of 1`));
    assert.match(out, new RegExp(`${before[1]} .*remove .*no place among the scheduled ones`));
    assert.match(out, new RegExp(`${before[0]} .*keep .*pinned`));
    assert.deepEqual(await stored(), before);
  });

  await test.step("prune asks first, and where nobody can answer removes nothing", async () => {
    const before = await stored();
    const { code, error } = await run(project, "prune");
    assert.deepEqual([code, /--yes/.test(error)], [1, true], error);
    assert.deepEqual(await stored(), before);
  });

  await test.step("prune --yes removes them, and the log knows", async () => {
    const [pinned, gone, newest] = await stored();
    const { code, out, error } = await run(project, "prune", "--yes");
    assert.equal(code, 0, error);
    assert.match(out, new RegExp(`removed ${gone}`));
    assert.deepEqual(await stored(), [pinned, newest]);
    const [row] = await sql`select removed_at is not null as removed from backup.log where name = ${gone!}`;
    assert.equal(row!["removed"], true);
    assert.match(
      (await run(project, "prune", "--yes", "--json")).out,
      /"remove": \[\]/,
      "nothing is left to do",
    );
    assert.deepEqual((await project.health()).alarms, ["keeps_one"]);
  });

  await test.step("the function removes nothing that the policy keeps, whoever names it", async () => {
    const before = await stored();
    const { data } = await project.client.functions.invoke("backup", { body: { prune: { remove: before } } });
    assert.deepEqual(data.removed, []);
    assert.deepEqual(await stored(), before);
    const refused = async (body: Record<string, unknown>, why: string) => {
      const { error } = await project.client.functions.invoke("backup", { body });
      const response = error?.context as Response | undefined;
      await response?.body?.cancel();
      assert.equal(response?.status, 400, why);
    };
    for (const prune of [1, [], { remove: "all" }, { remove: [1] }, null]) {
      await refused({ prune }, JSON.stringify(prune));
    }
    await refused({ helath: true }, "a misspelt question starts no backup");
    assert.equal((await sql`select from backup.log`).length, 3);
  });

  await test.step("log --rebuild gives rows back that were lost, and says what it did", async () => {
    const [older, newest] = await stored();
    const [before] = await sql`
      select to_jsonb(l) - '{id,settings,progress,pinned,started_at,finished_at,verified_at,heartbeat_at,progressed_at,invocations,cpu_ms,warnings}'::text[] as row
      from backup.log l where name = ${newest!}`;
    await superuser`delete from backup.log where name = ${newest!}`;
    await project.client.storage.from("backups").upload(
      "backup-20010101-000000/00000.dump",
      new Uint8Array(9),
      { contentType: "application/octet-stream" },
    );
    const { code, out, error } = await run(project, "log", "--rebuild", ...database);
    assert.equal(code, 0, error);
    assert.match(out, new RegExp(`${newest} .*added`));
    assert.match(out, new RegExp(`${older} .*known`));
    assert.match(out, /backup-20010101-000000 .*left: it has no manifest/);
    const [after] = await sql`
      select to_jsonb(l) - '{id,settings,progress,pinned,started_at,finished_at,verified_at,heartbeat_at,progressed_at,invocations,cpu_ms,warnings}'::text[] as row
      from backup.log l where name = ${newest!}`;
    assert.deepEqual(after!["row"], before!["row"]);
    const [rows] =
      await sql`select count(*)::int as n from backup.table_rows join backup.log l on l.id = run_id where l.name = ${newest!}`;
    assert.ok(rows!["n"] > 0, "with the rows of each table");
    const again = JSON.parse((await run(project, "log", "--rebuild", "--json", ...database)).out).backups;
    assert.deepEqual(
      again.map(({ outcome }: { outcome: string }) => outcome).sort(),
      ["known", "known", "left: it has no manifest"],
    );
    const nowhere = await run(project, "log", "--rebuild");
    assert.deepEqual([nowhere.code, /SUPABASE_DB_URL/.test(nowhere.error)], [1, true]);
  });

  await test.step("a manifest that somebody removed is made anew from the parts, which nothing removes", async () => {
    const [, , newest] = await stored();
    const path = `${newest}/manifest.json`;
    const bucket = project.client.storage.from("backups");
    const manifest = async () => JSON.parse(await (await bucket.download(path)).data!.text());
    const before = await manifest();
    await bucket.remove([path]);
    assert.match(
      (await run(project, "list")).out,
      new RegExp(`damaged: ${newest}/manifest\\.json is missing; .*log --rebuild`),
    );
    const pruning = JSON.parse((await run(project, "prune", "--dry-run", "--json")).out);
    assert.deepEqual(pruning.remove.map(({ name }: { name: string }) => name), ["backup-20010101-000000"]);
    const [reasons] = pruning.keep.filter(({ name }: { name: string }) => name === newest);
    assert.match(String(reasons.reasons), /its manifest is missing/);
    assert.match((await run(project, "verify", "--backup", newest!)).out, /manifest_missing|log --rebuild/);
    const { code, out, error } = await run(project, "log", "--rebuild", ...database);
    assert.equal(code, 0, error);
    assert.match(out, new RegExp(`${newest} .*its manifest was made anew from its parts`));
    const after = await manifest();
    for (const same of ["parts", "tables", "totals", "server", "archive"]) {
      // Where a table begins is not looked for again; without it, it is found by reading on.
      const sorted = (value: unknown) =>
        Array.isArray(value)
          ? value.map((one) => JSON.stringify({ ...one, begin: undefined })).sort()
          : value;
      assert.deepEqual(sorted(after[same]), sorted(before[same]), same);
    }
    const verified = await run(project, "verify", "--backup", newest!);
    assert.equal(verified.code, 0, verified.out + verified.error);
  });

  await test.step("log --rebuild takes no backup whose parts are not those of its manifest", async () => {
    const [, , newest] = await stored();
    await superuser`delete from backup.log where name = ${newest!}`;
    await project.client.storage.from("backups").upload(`${newest}/00000.dump`, new Uint8Array(9), {
      contentType: "application/octet-stream",
      upsert: true,
    });
    const { out } = await run(project, "log", "--rebuild", ...database);
    assert.match(out, new RegExp(`${newest} .*left: 00000\\.dump is missing or has another size`));
    assert.equal((await sql`select from backup.log where name = ${newest!}`).length, 0);
  });
});
