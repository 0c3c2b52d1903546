/** A restore is recorded where the target has a table for it, and nowhere else. */
import assert from "node:assert/strict";
import { recordRestore } from "../../cli/restore/record_restore.ts";
import { openTarget } from "../../cli/target/target.ts";
import { startCluster } from "../../stack/postgres/cluster.ts";
import { emptyAccount } from "../../supabase/functions/backup/restore/account.ts";

const TABLE = new URL("../../supabase/schemas/backup/restores.sql", import.meta.url);

Deno.test("[recordRestore]", async (test) => {
  const cluster = await startCluster();
  const target = await openTarget(cluster.url());
  const { sql } = target.session;
  const account = {
    ...emptyAccount(),
    rows: 7,
    changed: [{ entry: "INDEX a", how: "otherwise", why: "refused" }],
    leftOut: [{ entry: "VIEW b", why: "refused" }],
    aside: [{ table: "public.t", rows: 2, why: "no text", file: "t.copy" }],
  };
  const restored = { backup: "backup-20261122-030000", subject: "public.t", target: "here", account };
  const record = () => recordRestore(target, { ...restored, startedAt: new Date(0) });
  try {
    await test.step("says where there is no table", async () => {
      assert.equal(await record(), false);
    });

    await test.step("writes what became of it", async () => {
      await sql.unsafe(`create schema backup;\n${await Deno.readTextFile(TABLE)}`).simple();
      assert.equal(await record(), true);
      const [row] = await sql`
        select kind, backup, subject, target, status, rows::int, exceptions from backup.restores`;
      assert.deepEqual({ ...row }, {
        kind: "command",
        backup: "backup-20261122-030000",
        subject: "public.t",
        target: "here",
        status: "succeeded",
        rows: 7,
        exceptions: [
          ...account.changed,
          ...account.leftOut,
          { entry: "rows of public.t", how: "2 rows aside", why: "no text", file: "t.copy" },
        ],
      });
    });

    await test.step("touches no table of another role", async () => {
      await sql.unsafe("create role stranger; alter table backup.restores owner to stranger");
      assert.equal(await record(), false);
    });
  } finally {
    await target.session.close();
    await cluster.stop();
  }
});
