/** Every case on one server, restored by our engine as well, and one case of each kind by pg_restore too. */
import { chosenOf, readCases } from "./cases.ts";
import { tryCases } from "./run.ts";

/** `deno test -A FILE -- PART` takes only those whose name has PART. */
export async function tryEveryCase(test: Deno.TestContext, jobs: number, binDir?: string): Promise<void> {
  const cases = await readCases(Deno.args[0]);
  const chosen = chosenOf(cases);
  const options = binDir === undefined ? { jobs } : { jobs, binDir };
  await tryCases(test, cases, (one) => chosen.has(one) ? "restored by both" : "restored", options);
}
