/** What a role that may not read everything gets: a warning for the platform's, an error for a user's. */
import assert from "node:assert/strict";
import { startCluster } from "../../../stack/postgres/cluster.ts";
import { unsupportedSql } from "../../../supabase/functions/backup/catalog/unsupported.ts";
import { CLASS } from "../../../supabase/functions/backup/catalog/class_ids.ts";
import { openSession, type Session } from "../../../supabase/functions/backup/postgres/session.ts";
import { beginSnapshot } from "../../../supabase/functions/backup/postgres/snapshot.ts";
import { readDump } from "../../../supabase/functions/backup/toc/dump.ts";
import { BackupError } from "../../../supabase/functions/backup/errors.ts";

const SETUP = `
  create role dumper login;
  create schema auth;
  create table auth.secrets (a int);
  create sequence auth.numbers;
  create table public.mine (a int);
  alter table public.mine owner to dumper;
`;

async function dumpAs(url: string) {
  const session = await openSession(url);
  try {
    await beginSnapshot(session);
    return await readDump(session, { lockTimeoutMs: 200 });
  } finally {
    await session.close();
  }
}

async function refused(url: string): Promise<BackupError> {
  const error = await dumpAs(url).then(() => null, (error) => error);
  assert.ok(error instanceof BackupError, String(error));
  return error;
}

Deno.test("a dump as a role that may not read everything", async (test) => {
  const cluster = await startCluster();
  const admin: Session = await openSession(cluster.url());
  const run = (statement: string) => admin.sql.unsafe(statement).simple();
  const url = cluster.url("postgres", "dumper");
  try {
    await run(SETUP);

    await test.step("goes on without the platform's rows, and says so", async () => {
      const dump = await dumpAs(url);
      assert.deepEqual(dump.data.map(({ qualifiedName }) => qualifiedName), ["public.mine"]);
      assert.deepEqual(
        dump.warnings.map(({ code, object }) => [code, object]).sort(),
        [["no_privilege", "sequence auth.numbers"], ["no_privilege", "table auth.secrets"]],
      );
      const descs = dump.entries.filter(({ tag }) => tag === "secrets").map(({ desc }) => desc);
      assert.deepEqual(descs, ["TABLE"], "the definition is there, the rows are not");
    });

    await test.step("goes on without what the platform's roles own, in whatever schema", async () => {
      await run(`
        create role supabase_admin;
        create schema invented_later authorization supabase_admin;
        create table invented_later.things (a serial);
        alter table invented_later.things owner to supabase_admin`);
      const dump = await dumpAs(url);
      assert.deepEqual(dump.data.map(({ qualifiedName }) => qualifiedName), ["public.mine"]);
      const objects = dump.warnings.map(({ object }) => object);
      assert.ok(objects.includes("table invented_later.things"), `${objects}`);
      assert.ok(objects.includes("sequence invented_later.things_a_seq"), `${objects}`);
      await run("drop schema invented_later cascade");
    });

    await test.step("fails at a user's table and names the grant", async () => {
      await run("create table public.others (a int)");
      const error = await refused(url);
      assert.equal(error.code, "permission_denied");
      assert.match(error.message, /public\.others/);
      assert.match(error.hint, /grant select on table public\.others to dumper/);
      await run("grant select on public.others to dumper");
    });

    await test.step("fails where policies would hide rows", async () => {
      await run("alter table public.others enable row level security");
      const error = await refused(url);
      assert.equal(error.code, "table_not_read");
      assert.match(error.message, /public\.others/);
      assert.match(error.hint, /bypassrls/);
      await run("alter role dumper bypassrls");
      assert.equal((await dumpAs(url)).data.length, 2);
    });

    await test.step("fails at a user's sequence", async () => {
      await run("create sequence public.counter");
      const error = await refused(url);
      assert.equal(error.code, "permission_denied");
      assert.match(error.hint, /grant select on sequence public\.counter to dumper/);
      await run("grant select on sequence public.counter to dumper");
    });

    await test.step("fails when a table is locked too long", async () => {
      await run("begin; lock table public.mine");
      const error = await refused(url);
      assert.equal(error.code, "lock_timeout");
      await run("rollback");
    });

    await test.step("holds its locks until its transaction ends", async () => {
      const session = await openSession(url);
      await beginSnapshot(session);
      await readDump(session, { lockTimeoutMs: 200 });
      await run("set lock_timeout = '50ms'");
      await assert.rejects(run("alter table public.mine add b int"), /lock timeout/);
      await session.close();
    });

    await test.step("looks through no view that somebody put in a sequence's place", async () => {
      await run("create view public.trap as select 1 as last_value, true as is_called");
      const session = await openSession(cluster.url());
      await beginSnapshot(session);
      await assert.rejects(session.sql.unsafe("select * from public.trap"), /restricted/);
      await session.close();
    });

    await test.step("would name objects of a kind that no family reads", async () => {
      await run("create publication p");
      const known = Object.values(CLASS).filter((classId) => classId !== CLASS.publication);
      const kinds = { relkind: "rpfvmcitI", typtype: "bcdemrp", prokind: "fpwa" };
      assert.equal((await admin.sql.unsafe(unsupportedSql())).length, 0);
      const found = await admin.sql.unsafe<{ object: string }[]>(unsupportedSql(known, kinds));
      assert.deepEqual(found.map(({ object }) => object).sort(), [
        "sequence auth.numbers",
        "sequence public.counter",
      ]);
    });
  } finally {
    await admin.close();
    await cluster.stop();
  }
});
