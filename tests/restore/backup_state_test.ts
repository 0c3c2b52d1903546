/** A copy's own backup state: what waits in the source is as it was, or ended, and the comparison agrees. */
import assert from "node:assert/strict";
import { WHOLE } from "../../cli/plan/plan_restore.ts";
import { openTarget } from "../../cli/target/target.ts";
import { startProjectDatabase } from "../../stack/postgres/project.ts";
import { hostedSource, restoreInto } from "./hosted.ts";

const NOTHING_HERE = { ...WHOLE, withoutMissing: true };

/** The run that makes the backup is active, a second copy is tried again later, and somebody has asked for a table. */
const STATE = `
  insert into backup.log (name, trigger, status, finished_at, verified_at, checksum, settings)
  values ('backup-20261122-030000', 'manual', 'succeeded', now(), now(), repeat('0', 64), '{}');
  insert into backup.copies (run_id, failures, failed_at, retry_at, error)
  select id, 3, now(), '2031-01-01 00:00+00', '{"code": "copy_failed"}' from backup.log;
  insert into backup.log (name, trigger, status, heartbeat_at, settings)
  values ('backup-20261129-030000', 'scheduled', 'running', now(), '{}');
  insert into backup.restores (kind, backup, subject) values ('table', 'backup-20261122-030000', 'public.diary');
`;

Deno.test("a copy of a project whose second copy is due again, and whose restores wait, is as the backup says", async () => {
  await using source = await hostedSource("today", STATE);
  const database = await startProjectDatabase({ variant: "today" });
  const target = await openTarget(database.url);
  const ask = async (sql: string) => Object.values((await target.session.sql.unsafe(sql))[0]!)[0] as unknown;
  try {
    const { account, of, table } = await restoreInto(source.archive, target, NOTHING_HERE);
    assert.equal(account.outcome, "restored", JSON.stringify(account, null, 2));
    assert.deepEqual(of("failed"), [], table);
    assert.match(of("passed").join("\n"), /^rows: backup\.copies/m);
    assert.match(
      of("skipped").join("\n"),
      /^rows: backup\.restores: .*a copy starts with a clean backup state/m,
    );
    assert.equal(await ask("select retry_at = '2031-01-01 00:00+00' from backup.copies"), true);
    assert.equal(
      await ask("select string_agg(status, ' ' order by id) from backup.log"),
      "succeeded cancelled",
    );
    assert.equal(await ask("select string_agg(status, ' ') from backup.restores"), "cancelled");
  } finally {
    await target.session.close();
    await database.stop();
  }
});
