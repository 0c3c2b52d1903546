/** What keeps a backup from being made: more tables than locks, and rows that stay out because somebody wants it. */
import assert from "node:assert/strict";
import { dumpDatabase } from "../../cli/dump/dump_database.ts";
import { isTooLarge } from "../../supabase/functions/backup/slices/large_row.ts";
import { restore } from "../../supabase/functions/backup/restore/restore.ts";
import { startScene } from "./scene.ts";

const TABLES = 1500;

const SOURCE = `
  create table public.logs (line text) partition by range (line);
  create table public.logs_a partition of public.logs for values from ('a') to ('n');
  create table public.logs_n partition of public.logs for values from ('n') to ('zz');
  insert into public.logs values ('a line'), ('other');
  create table public."odd.name" (n int);
  insert into public."odd.name" values (1);
  create table public.kept (n int);
  insert into public.kept values (1), (2);
`;

Deno.test("a server that cannot lock all tables says so, with both numbers and the remedy", async () => {
  const scene = await startScene({ max_connections: "20", max_locks_per_transaction: "10" });
  try {
    const schemas = Array.from({ length: TABLES / 100 }, (_, n) => n);
    const tables = (schema: number) =>
      Array.from({ length: 100 }, (_, n) => `create table s${schema}.t${n} ();`).join("");
    await assert.rejects(
      // Each schema in a transaction of its own: creating tables takes locks as well.
      scene.backUp(schemas.map((n) => `begin; create schema s${n}; ${tables(n)} commit;`).join("\n")),
      {
        code: "too_many_tables",
        message: /^Cannot lock 1500 tables: the server has room for about 200 locks$/,
      },
    );
    const rejection = await dumpDatabase(scene.cluster.url("source"), () => Promise.resolve()).catch((
      error,
    ) => error);
    assert.match(
      rejection.hint,
      /Raise max_locks_per_transaction from 10 to 192, .*max_locks_per_transaction=192/,
    );
  } finally {
    await scene.stop();
  }
});

Deno.test("more objects than a transaction can lock come back on several connections", async () => {
  const scene = await startScene({ max_connections: "20", max_locks_per_transaction: "10" });
  try {
    // Each takes four locks to create, and one to back up.
    const tables = Array.from({ length: 100 }, (_, n) => `create table t${n} (id int primary key, v text);`);
    const schemas = Array.from({ length: 5 }, (_, n) => `s${n}`);
    const input = await scene.backUp(
      schemas.map((name) => `
        begin; create schema ${name}; set local search_path = ${name}; ${tables.join("")}
        insert into t0 values (1, 'one'); alter table t1 enable row level security; commit;`).join("\n"),
    );
    await assert.rejects(restore(input), {
      code: "restore_failed",
      hint:
        /^Nothing was changed.*One transaction cannot lock that many objects on this server\. Add --jobs 2/,
    });
    assert.equal(
      await scene.ask("select count(*)::int from pg_class where relnamespace::regnamespace::text ~ '^s'"),
      0,
    );
    const reached: string[] = [];
    const account = await restore({
      ...input,
      options: { jobs: 2, onCommit: (state) => reached.push(state) },
    });
    assert.equal(account.outcome, "restored");
    assert.deepEqual([account.rows, new Set(reached)], [schemas.length, new Set(["begun", "complete"])]);
    assert.ok(reached.length > 2, "definitions fitted into one transaction");
    const [source, target] = await scene.dumps();
    assert.equal(target, source);
  } finally {
    await scene.stop();
  }
});

Deno.test("rows of tables that somebody leaves out are not dumped, and each is named", async () => {
  const scene = await startScene();
  try {
    await scene.backUp(SOURCE);
    const leaveOut = ["public.logs", "public.odd.name", "public.nowhere"];
    const { rows, warnings } = await dumpDatabase(scene.cluster.url("source"), () => Promise.resolve(), {
      leaveOut,
    });
    assert.equal(rows, 2);
    assert.deepEqual(warnings.map(({ code, object, message }) => `${code} ${object}: ${message}`), [
      "left_out table public.logs: Its rows are not in the backup: the setting leave_out names it",
      "left_out table public.odd.name: Its rows are not in the backup: the setting leave_out names it",
      "left_out table public.nowhere: The setting leave_out names it, and there is no such table",
    ]);
  } finally {
    await scene.stop();
  }
});

Deno.test("[isTooLarge] knows the server's words for a text that it cannot make", () => {
  assert.ok(isTooLarge({ code: "XX000", message: "invalid memory alloc request size 1132462083" }));
  assert.ok(isTooLarge({ code: "54000", message: "out of memory" }));
  for (
    const other of [{ code: "XX001", message: "invalid page" }, {
      code: "XX000",
      message: "cache lookup failed",
    }, null]
  ) {
    assert.equal(isTooLarge(other), false);
  }
});
