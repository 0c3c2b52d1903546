/** What servers of other versions than the machine's refuse of a backup, and what comes back all the same. */
import { tryRefused } from "../engine/refused_cases.ts";
import { OTHER_VERSIONS, withServerOf } from "../servers/versions.ts";

for (const version of OTHER_VERSIONS) {
  Deno.test(`what a server of version ${version} refuses`, async (test) => {
    await withServerOf(version, (binDir) => tryRefused(test, binDir));
  });
}
