/**
 * The archive says what pg_dump says: every case of the corpus, both ways. `deno test -A tests/corpus -- PART` takes only the
 * cases whose name contains PART; CORPUS_PG_BIN names the programs of another server, with or without a pg_dump that knows it.
 */
import assert from "node:assert/strict";
import { readCases } from "./cases.ts";
import { KNOWN_DIFFERENCES } from "./known_differences.ts";
import { tryCases, UNWATCHED } from "./run.ts";

Deno.test("the archive equals pg_dump's", UNWATCHED, async (test) => {
  const cases = await readCases(Deno.args[0]);
  const strangers = Object.keys(KNOWN_DIFFERENCES).filter((name) => !cases.some((one) => one.name === name));
  if (Deno.args[0] === undefined) assert.deepEqual(strangers, [], "known differences of cases that are gone");
  await tryCases(test, cases, Deno.env.get("CORPUS_PG_BIN"));
});
