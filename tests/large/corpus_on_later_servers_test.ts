/** Every case of the corpus on servers that are later than the machine's. */
import { readCases } from "../corpus/cases.ts";
import { tryCases, UNWATCHED } from "../corpus/run.ts";
import { PACKAGED_VERSIONS, withPackagedServer } from "../servers/packaged.ts";

for (const version of PACKAGED_VERSIONS) {
  Deno.test(`the corpus comes back on a server of version ${version}`, UNWATCHED, async (test) => {
    const cases = await readCases();
    await withPackagedServer(version, (binDir) => tryCases(test, cases, binDir));
  });
}
