/** A project restored with several connections: what must come after something else does. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { checksTable, compareRestored, summaryOf } from "../../cli/restore/compare.ts";
import { planned, restoreEntries, WHOLE } from "../../cli/restore/run.ts";
import { fetchSource } from "../../cli/restore/source.ts";
import { openTarget } from "../../cli/restore/target.ts";
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
    const plan = await planned(source.archive, target, options);
    await restoreEntries(source.archive, target, plan.entries, options);
    const checks = await compareRestored(source.archive, source.manifest, plan, target);
    await target.session.close();
    assert.match(
      summaryOf(checks).text,
      /^\d+ passed, 0 failed, \d+ skipped, 0 unchecked$/,
      checksTable(checks),
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
