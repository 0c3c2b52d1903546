/** Projects with the corpus's mixed cases drill themselves, on the oldest and on the usual version of the server. */
import assert from "node:assert/strict";
import { USUAL_MAJOR } from "../../stack/postgres/install.ts";
import { OLDEST_MAJOR } from "../../stack/postgres/binaries.ts";
import { readCases } from "../corpus/cases.ts";
import { loadFile } from "../corpus/programs.ts";
import { startScene } from "../inside/scene.ts";
import { withServerOf } from "../servers/versions.ts";

/** The tablespace that is there beside them needs a server of its own settings. */
const ROLES = (await Deno.readTextFile(new URL("../corpus/cluster.sql", import.meta.url)))
  .replace(/^create tablespace .*$/m, "");

/** `deno test -A FILE -- PART` takes only those whose name has PART. */
const CASES = await readCases(Deno.args[0] ?? "mixed--");

for (const version of [OLDEST_MAJOR, USUAL_MAJOR]) {
  Deno.test(`mixed cases are drilled inside the project on PostgreSQL ${version}`, async (test) => {
    await withServerOf(version, async (binDir) => {
      for (const { name, setup } of CASES) {
        await test.step(name, async () => {
          await using scene = await startScene({ binDir });
          await scene.superuser.unsafe(ROLES).simple();
          await loadFile(scene.stack.database.cluster, "postgres", setup);
          const run = await scene.backUp();
          assert.equal(run.status, "succeeded", run.error_message ?? "");
          const { restore, drill } = await scene.drill("backup.drill(drill_bytes => 200000000)");
          assert.equal(restore.status, "succeeded", restore.error_message ?? "");
          assert.deepEqual(drill!.checks.filter(({ outcome }) => outcome === "failed"), []);
          assert.ok(drill!.passed > 20, `${drill!.passed} passed`);
        });
      }
    });
  });
}
