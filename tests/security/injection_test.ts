/**
 * Names, settings and bodies that try to be SQL, paths or markup. That such names are dumped and restored exactly is in
 * the corpus (tests/corpus: names-that-hurt, bodies-that-hurt); here, that nothing of them is ever carried out.
 */
import assert from "node:assert/strict";
import { startProject } from "../e2e/project.ts";

const HOSTILE = [
  `'; drop table public.canary; --`,
  `"; drop table public.canary; --`,
  "$$; drop table public.canary; $$",
  "\\'; drop table public.canary; --",
  "a\n\\.\ndrop table public.canary;",
  "%I %s %L",
  "../../canary",
  "<script>alert(1)</script>",
];

Deno.test("hostile input", async (test) => {
  await using project = await startProject({ migrate: "directly" });
  const { stack, sql, superuser, client } = project;
  await sql`create table public.canary as select 1 as alive`;
  const files = client.storage.from("elsewhere");
  await client.storage.createBucket("elsewhere");
  await files.upload("backup-20200101-000000/manifest.json", "{}", { contentType: "application/json" });

  const settings = () => sql`select to_jsonb(s) - 'budget_halvings' as settings from backup.settings s`;
  const before = await settings();
  const expectUnharmed = async () => {
    assert.deepEqual([...await sql`select alive from public.canary`], [{ alive: 1 }]);
    assert.equal((await files.list("backup-20200101-000000")).data?.length, 1, "another bucket is as it was");
    assert.deepEqual(await settings(), before);
  };
  const call = async (body: unknown) => {
    const response = await fetch(`${stack.apiUrl}/functions/v1/backup`, {
      method: "POST",
      headers: { authorization: `Bearer ${stack.keys.secretKey}` },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() as Record<string, unknown> };
  };

  await test.step("in names of schemas, tables, columns, sequences, and in rows, is data", async () => {
    for (const [index, name] of HOSTILE.entries()) {
      const quoted = `"${name.slice(0, 50).replaceAll('"', '""')} ${index}"`;
      await sql.unsafe(`create schema ${quoted}`);
      await sql.unsafe(`create table ${quoted}.${quoted} (${quoted} text default 'x', id serial)`);
      await sql.unsafe(`insert into ${quoted}.${quoted} (${quoted}) values ($1)`, [name]);
      await sql.unsafe(`comment on table ${quoted}.${quoted} is $comment$${name}$comment$`);
    }
    const run = await project.backUp();
    assert.equal(run.status, "succeeded", run.error_message ?? "");
    const [rows] = await sql`
      select count(*)::int as n from backup.table_rows where run_id = ${run.id} and schema like '%canary%' and rows = 1`;
    assert.ok(rows!["n"] >= 5, "they are in the backup");
    await expectUnharmed();
  });

  await test.step("in the arguments of public verbs is refused or means nothing", async () => {
    for (const text of HOSTILE) {
      const verbs = [
        sql`select backup.start(${text})`,
        sql`select backup.schedule(${text})`,
        sql`select backup.schedule_check(${text})`,
        sql`select backup.pin(${text})`,
        sql`select backup.unpin(${text})`,
        sql`select backup.configure(bucket => ${text})`,
        sql`select backup.configure(function_url => ${text})`,
      ];
      for (const [index, verb] of verbs.entries()) {
        await assert.rejects(verb, (error: { code?: string; hint?: string }) => {
          assert.match(error.code ?? "", /^(22023|P0002|55000)$/, `verb ${index} of ${text}`);
          assert.ok(error.hint, `verb ${index} says what is right`);
          return true;
        });
      }
    }
    await expectUnharmed();
  });

  await test.step("in the arguments of the workers' verbs finds nothing", async () => {
    for (const text of HOSTILE) {
      const [row] = await sql`select run_id as run from backup._redeem(${text})`;
      assert.equal(row!["run"], null);
      await sql`select backup._mark_removed(${text})`;
    }
    assert.equal((await sql`select from backup.log where removed_at is not null`).length, 0);
    await expectUnharmed();
  });

  await test.step("in a body is refused", async () => {
    const { length: runs } = await sql`select from backup.log`;
    for (const text of HOSTILE) {
      for (
        const body of [
          { log: { limit: text } },
          { log: { run_id: text } },
          { prune: text },
          { prune: { remove: text } },
          { [text]: true },
          { health: text },
          '{"__proto__": {"health": true}}',
          '{"constructor": {"prototype": {}}}',
        ]
      ) {
        const { status, body: { code } } = await call(body);
        assert.deepEqual([status, code], [400, "bad_request"], JSON.stringify(body));
      }
    }
    assert.equal((await sql`select from backup.log`).length, runs);
    await expectUnharmed();
  });

  await test.step("in names to prune reaches nothing outside of the plan", async () => {
    const names = ["../elsewhere/backup-20200101-000000", "backup-20200101-000000", "", "/", ...HOSTILE];
    const { status, body } = await call({ prune: { remove: names } });
    assert.deepEqual([status, body["removed"]], [200, []]);
    await expectUnharmed();
  });

  await test.step("in the names of the bucket's folders is left alone, and told apart from backups", async () => {
    const folder = "backup-20200101-000000'; drop table public.canary; --";
    const options = { contentType: "application/json" };
    assert.equal(
      (await client.storage.from("backups").upload(`${folder}/manifest.json`, "{}", options)).error,
      null,
    );
    const run = await project.backUp();
    assert.equal(run.status, "succeeded", run.error_message ?? "");
    assert.ok((await project.stored())[folder], "not ours, and still there");
    const { body } = await call({ prune: {} });
    const kept = (body["keep"] as { name: string; reasons: string[] }[]).find(({ name }) => name === folder);
    assert.deepEqual(kept?.reasons, ["not a backup's name"]);
    await expectUnharmed();
  });

  await test.step("in a manifest is not believed", async () => {
    const folder = "backup-20200102-000000";
    const manifest = {
      formatVersion: 1,
      name: "../elsewhere",
      parts: [{ name: "../../etc/passwd", bytes: 1, sha256: "x" }],
    };
    await client.storage.from("backups").upload(`${folder}/manifest.json`, JSON.stringify(manifest), {
      contentType: "application/json",
    });
    const run = await project.backUp();
    assert.equal(run.status, "succeeded", run.error_message ?? "");
    assert.ok(
      run.warnings.some(({ code, object }) => code === "manifest_invalid" && object === folder),
      JSON.stringify(run.warnings),
    );
    assert.equal((await superuser`select from backup.log where name = ${folder}`).length, 0);
    await expectUnharmed();
  });
});
