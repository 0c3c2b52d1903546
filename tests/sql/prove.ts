/**
 * pgTAP suites: files of SQL, each in a transaction that it rolls back itself, run by pg_prove as the role `postgres`.
 */
import assert from "node:assert/strict";
import type { SqlProject } from "./project.ts";

/** Makes pgTAP and what the suites share; the migrations have been applied. */
export async function prepareSuites(project: SqlProject): Promise<void> {
  await project.superuser`create extension pgtap with schema extensions`;
  // Suites make members of it. Up to version 15 a role that may create roles may do so by itself.
  await project.superuser`grant authenticated to postgres with admin option`;
  await project.sql.unsafe(await Deno.readTextFile(new URL("./prelude.sql", import.meta.url))).simple();
}

/** Runs every suite of a folder as a step. */
export async function proveAll(t: Deno.TestContext, url: string, folder: URL): Promise<void> {
  for (const suite of (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort()) {
    await t.step(suite, () => prove(url, decodeURIComponent(new URL(suite, folder).pathname)));
  }
}

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
