/**
 * The archive says what pg_dump says, and comes back, in one case of each kind and in the mixed ones; tests/large
 * tries every case, on each version. `deno test -A tests/corpus -- PART` tries all cases whose name contains PART;
 * CORPUS_PG_BIN names the programs of another server, with or without a pg_dump that knows it.
 */
import assert from "node:assert/strict";
import { chosenOf, readCases } from "./cases.ts";
import { KNOWN_CASES } from "./known_differences.ts";
import { tryCases, UNWATCHED } from "./run.ts";

Deno.test("the archive equals pg_dump's", UNWATCHED, async (test) => {
  const part = Deno.args[0];
  const cases = await readCases(part);
  const strangers = KNOWN_CASES.filter((name) => !cases.some((one) => one.name === name));
  if (part === undefined) assert.deepEqual(strangers, [], "known differences of cases that are gone");
  const binDir = Deno.env.get("CORPUS_PG_BIN");
  const tried = part === undefined ? [...chosenOf(cases)] : cases;
  await tryCases(
    test,
    tried,
    () => part === undefined ? "restored" : "restored by both",
    binDir ? { binDir } : {},
  );
});
