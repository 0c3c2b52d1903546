/** A project restored with several connections: what must come after something else does. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { checksTable } from "../../cli/compare/checks_table.ts";
import { compareRestored } from "../../supabase/functions/backup/compare/compare_restored.ts";
import { summaryOf } from "../../supabase/functions/backup/compare/check.ts";
import { makePlan, WHOLE } from "../../cli/plan/plan_restore.ts";
import { runRestore } from "../../cli/restore/run_restore.ts";
import { fetchSource } from "../../cli/source/source.ts";
import { openTarget } from "../../cli/target/target.ts";
import { startStack } from "../../stack/stack.ts";
import { backedUpProject, enableWebhooks, originOf } from "./scene.ts";

Deno.test("a backup in a new Supabase project, with three connections, is the same as with one", async () => {
  const folder = await Deno.makeTempDir();
  const { project, name } = await backedUpProject();
  const second = await startStack({ migrate: false });
  const superuser = postgres(second.superuserUrl, { max: 1 });
  try {
    await enableWebhooks(superuser);
    const source = await fetchSource(originOf(project), name, folder, () => {});
    const target = await openTarget(second.databaseUrl);
    const options = { ...WHOLE, jobs: 3 };
    const plan = await makePlan(source.archive, target, options);
    await runRestore(source.archive, target, plan, options);
    const checks = await compareRestored(source.archive, source.manifest, plan, target);
    await target.session.close();
    assert.match(
      summaryOf(checks).text,
      /^\d+ passed, 0 failed, \d+ skipped, 0 unchecked$/,
      checksTable(checks).join("\n"),
    );
    // The trigger on auth.users came after its rows: it has added no member.
    const [rows] =
      await superuser`select (select count(*) from auth.users) as users, (select count(*) from public.members) as members`;
    assert.deepEqual({ ...rows }, { users: "3", members: "3" });
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder), ({ name }) => name), [`${name}.dump`]);
  } finally {
    await superuser.end({ timeout: 1 });
    await second.stop();
    await project[Symbol.asyncDispose]();
    await Deno.remove(folder, { recursive: true });
  }
});
