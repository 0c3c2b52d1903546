/** A function and a schema of different versions say so before they touch anything. */
import assert from "node:assert/strict";
import { VERSION } from "../../supabase/functions/backup/version.ts";
import { runCli } from "./command.ts";
import { startProject } from "./project.ts";

const [MAJOR, MINOR] = VERSION.split(".").map(Number);

Deno.test("function and schema of different versions", async (test) => {
  await using project = await startProject();
  const { stack, sql } = project;
  const ask = async (body: unknown) => {
    const response = await fetch(`${stack.apiUrl}/functions/v1/backup`, {
      method: "POST",
      headers: { authorization: `Bearer ${stack.keys.secretKey}` },
      body: JSON.stringify(body),
    });
    return { status: response.status, answer: await response.json() };
  };
  const setVersion = (version: string) =>
    sql.unsafe(`create or replace function backup.version() returns text language sql immutable
      set search_path = pg_catalog, pg_temp as $$ select '${version}' $$`);

  await test.step("the function tells its version, which is the schema's", async () => {
    assert.deepEqual((await ask({ version: true })).answer, { version: VERSION });
    const [row] = await sql`select backup.version() as version`;
    assert.equal(row!.version, VERSION);
  });

  await test.step("an older schema is told to be migrated, and no run begins", async () => {
    await setVersion("0.0.9");
    const { status, answer } = await ask({});
    assert.equal(status, 409);
    assert.equal(answer.code, "version_mismatch");
    assert.match(
      answer.message,
      new RegExp(`function is version ${VERSION}, the schema "backup" is version 0.0.9`),
    );
    assert.match(answer.hint, /supabase db push/);
    assert.equal((await sql`select from backup.log`).length, 0);
  });

  await test.step("a newer schema asks for its function", async () => {
    await setVersion(`${MAJOR}.${MINOR! + 1}.0`);
    const { answer } = await ask({ health: true });
    assert.equal(answer.code, "version_mismatch");
    assert.match(answer.hint, /supabase functions deploy backup/);
  });

  await test.step("a run that the database starts says it in its log", async () => {
    const run = await project.backUp("manual");
    assert.equal(run.status, "failed");
    assert.match(`${run.error_message} ${run.error_hint}`, /version/);
    assert.deepEqual(await project.stored(), {});
  });

  await test.step("another patch version works", async () => {
    await setVersion(`${MAJOR}.${MINOR}.99`);
    assert.equal((await project.backUp()).status, "succeeded");
  });

  for (
    const [found, hint] of [
      ["0.1.9", /supabase-backup upgrade[^]*supabase functions deploy backup/],
      [`${MAJOR}.${MINOR! + 1}.0`, new RegExp(`supabase-backup-${MAJOR}\\.${MINOR! + 1}\\.0\\.tgz`)],
    ] as const
  ) {
    await test.step(`a command and a function of version ${found} do not work together`, async () => {
      const asked: string[] = [];
      project.fault = async (request) => {
        if (!new URL(request.url).pathname.endsWith("/backup")) return null;
        asked.push(await request.clone().text());
        return Response.json({ version: found });
      };
      for (const command of ["backup", "health", "prune --yes", "alerts test"]) {
        const { code, error } = await runCli(project, command, []);
        assert.equal(code, command === "health" ? 3 : 1, error);
        assert.match(error, new RegExp(`function is version ${found}, this command is ${VERSION}`));
        assert.match(error, hint);
      }
      assert.deepEqual(new Set(asked), new Set(['{"version":true}']), "nothing else was asked");
      project.fault = null;
    });
    await test.step(`nor do a command and a schema of version ${found}`, async () => {
      await setVersion(found);
      for (const command of ["health", "log --rebuild"]) {
        const { code, error } = await runCli(project, command, ["--db-url", stack.databaseUrl]);
        assert.equal(code, command === "health" ? 3 : 1, error);
        assert.match(error, new RegExp(`schema "backup" is version ${found}, this command is ${VERSION}`));
        assert.match(error, hint);
      }
    });
  }

  await test.step("without the schema the function names the command", async () => {
    await sql.unsafe("drop schema backup cascade");
    const { status, answer } = await ask({});
    assert.deepEqual([status, answer.code], [409, "not_installed"]);
    assert.match(answer.hint, /supabase db push/);
    for (
      const command of [["log"], ["backup"], ["health"], ["health", "--db-url", stack.databaseUrl], [
        "log",
        "--rebuild",
        "--db-url",
        stack.databaseUrl,
      ]]
    ) {
      const { code, error } = await runCli(project, "", command);
      assert.equal(code, command[0] === "health" ? 3 : 1);
      assert.match(error, /The database has no schema "backup"/, command.join(" "));
      assert.match(error, /supabase db push/);
    }
  });
});
