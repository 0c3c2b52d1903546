/** Rows of tables that belong to an extension, which pg_dump leaves out: pgmq's queues, here played by hstore. */
import assert from "node:assert/strict";
import type { ArchiveFile } from "../../cli/source/archive_file.ts";
import { type Entry, EXTENSION_DATA, EXTENSION_SEQUENCE } from "../../supabase/functions/backup/entry.ts";
import { restore } from "../../supabase/functions/backup/restore/restore.ts";
import { runProgram } from "../corpus/programs.ts";
import { startScene } from "./scene.ts";

const MEMBERS = `
  create schema pgmq;
  create extension hstore;
  create table pgmq.q_orders (msg_id bigint primary key generated always as identity, message jsonb);
  alter extension hstore add table pgmq.q_orders;
  create table pgmq.log (line text);
  alter extension hstore add table pgmq.log;
`;

const SOURCE = `
  ${MEMBERS}
  insert into pgmq.q_orders (message) select jsonb_build_object('order', n) from generate_series(1, 50) n;
  delete from pgmq.q_orders where msg_id > 48;
  insert into pgmq.log values ('one'), (E'two\\ttabs');
  create table public.plain (id int primary key);
  insert into public.plain values (1);
`;

const isExtensions = ({ desc }: Entry) => desc === EXTENSION_DATA || desc === EXTENSION_SEQUENCE;

Deno.test("rows of tables that belong to an extension", async (t) => {
  const scene = await startScene();
  /** Restores the source into a target that `prepare` has been run in. */
  const trip = async (prepare: string) => {
    const input = await scene.backUp(SOURCE);
    await scene.target.sql.unsafe(prepare).simple();
    const entries = input.archive.entries.filter(({ desc }) => desc !== "SCHEMA" || prepare === "");
    return await restore({ ...input, plan: { entries, extensionRows: entries.filter(isExtensions) } });
  };
  try {
    await t.step("are in the archive, and pg_restore reads it as pg_dump's", async () => {
      const archive = (await scene.backUp(SOURCE)).archive as ArchiveFile;
      const found = archive.entries.filter(isExtensions).map(({ desc, namespace, tag, hasData }) =>
        [desc, `${namespace}.${tag}`, hasData] as const
      );
      assert.deepEqual(found.toSorted(), [
        [EXTENSION_DATA, "pgmq.log", true],
        [EXTENSION_DATA, "pgmq.q_orders", true],
        [EXTENSION_SEQUENCE, "pgmq.q_orders_msg_id_seq", false],
      ]);
      const theirs = `${archive.path}.theirs`;
      await runProgram(scene.cluster, "pg_dump", ["-Fc", "-f", theirs, "-d", scene.cluster.url("source")]);
      const sqlOf = async (path: string) =>
        (await runProgram(scene.cluster, "pg_restore", ["-f", "-", path]))
          .replace(/^(-- Dumped by .*|\\(un)?restrict .*|-- Started on .*|-- Completed on .*)$/gm, "");
      assert.equal(await sqlOf(archive.path), await sqlOf(theirs));
      const listed = await runProgram(scene.cluster, "pg_restore", ["-l", archive.path]);
      assert.doesNotMatch(listed, /EXTENSION (DATA|SEQUENCE)|ROLES/);
      await runProgram(scene.cluster, "pg_restore", ["-1", "-d", scene.cluster.url("target"), archive.path]);
      assert.equal(await scene.ask("select count(*)::int from public.plain"), 1);
    });

    await t.step("are left out with their number where the target has no such table", async () => {
      const { outcome, leftOut } = await trip("");
      assert.equal(outcome, "restored_with_exceptions");
      assert.deepEqual(leftOut.map(({ entry, why }) => `${entry}: ${why}`).toSorted(), [
        "EXTENSION DATA pgmq.log: 2 rows: the target has no such table; its extension has not created it",
        "EXTENSION DATA pgmq.q_orders: 48 rows: the target has no such table; its extension has not created it",
        "EXTENSION SEQUENCE SET pgmq.q_orders_msg_id_seq: the target has no such sequence; its extension has not created it",
      ]);
      assert.equal(await scene.ask("select count(*)::int from public.plain"), 1);
    });

    await t.step("go into the table where it is there, and the sequence goes on", async () => {
      const { outcome, leftOut, rows } = await trip(MEMBERS);
      assert.deepEqual(leftOut, []);
      assert.equal(outcome, "restored");
      assert.equal(rows, 51);
      assert.equal(await scene.ask("select count(*)::int from pgmq.q_orders"), 48);
      assert.equal(
        await scene.ask("insert into pgmq.q_orders (message) values ('{}') returning msg_id::int"),
        51,
      );
      assert.equal(
        await scene.ask("select string_agg(line, ',' order by line) from pgmq.log"),
        "one,two\ttabs",
      );
    });

    await t.step("are added to those that are there, where a key tells them apart", async () => {
      const { leftOut } = await trip(`
        ${MEMBERS}
        insert into pgmq.q_orders (message) select '{"mine": true}' from generate_series(1, 60);
        delete from pgmq.q_orders where msg_id < 40;
        insert into pgmq.log values ('mine');`);
      assert.deepEqual(leftOut.map(({ entry, why }) => `${entry}: ${why}`), [
        "EXTENSION DATA pgmq.log: 2 rows: the target's table has rows already, and no key that tells which are missing",
      ]);
      assert.equal(await scene.ask("select count(*)::int from pgmq.q_orders where message ? 'mine'"), 21);
      assert.equal(await scene.ask("select count(*)::int from pgmq.q_orders where message ? 'order'"), 39);
      assert.equal(
        await scene.ask("insert into pgmq.q_orders (message) values ('{}') returning msg_id::int"),
        61,
      );
    });

    await t.step("come without columns that the target's table lacks, and that is told", async () => {
      const { changed } = await trip(
        `create schema pgmq;
         create extension hstore;
         create table pgmq.q_orders (msg_id bigint primary key, message_sent timestamptz default now());
         alter extension hstore add table pgmq.q_orders;`,
      );
      assert.deepEqual(changed.map(({ entry, how }) => `${entry}: ${how}`), [
        "EXTENSION DATA pgmq.q_orders: without the columns message",
      ]);
      assert.equal(
        await scene.ask("select count(*)::int from pgmq.q_orders where message_sent is not null"),
        48,
      );
    });
  } finally {
    await scene.stop();
  }
});
