/** The pgTAP suites of the schema `backup`, each in a transaction that is rolled back, as the role `postgres`. */
import assert from "node:assert/strict";
import { apply, startSqlProject } from "./project.ts";
import { migrations } from "./sources.ts";

const SUITES = new URL("./backup/", import.meta.url);

Deno.test("the schema backup, by pgTAP", async (t) => {
  const project = await startSqlProject();
  try {
    await apply(project.sql, await migrations());
    await project.superuser`create extension pgtap with schema extensions`;
    await project.sql.unsafe(await Deno.readTextFile(new URL("./prelude.sql", import.meta.url))).simple();
    for (const suite of (await Array.fromAsync(Deno.readDir(SUITES), ({ name }) => name)).sort()) {
      await t.step(suite, () => prove(project.url, new URL(suite, SUITES).pathname));
    }
  } finally {
    await project.stop();
  }
});

/** Throws with the tests that failed, and what psql said. */
async function prove(url: string, path: string): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command("pg_prove", {
    args: ["--dbname", url, "--verbose", path],
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  // Of the verbose report what did not pass, and what pgTAP has to say about it.
  const report = decoder.decode(stdout).split("\n").filter((line) => /^(not ok|#)/.test(line)).join("\n");
  assert.ok(success, `${report}\n${decoder.decode(stderr)}`);
}
