/** A drill's scratch server is not older than the server that the backup is of. */
import assert from "node:assert/strict";
import { scratchServer } from "../../cli/restore/scratch.ts";
import { OTHER_VERSIONS, OWN_VERSION, withServerOf } from "./versions.ts";

const later = OTHER_VERSIONS.filter((version) => version > OWN_VERSION);
for (const [of, expected] of [[15, OWN_VERSION], ...later.map((version) => [version, version] as const)]) {
  Deno.test(`a backup of PostgreSQL ${of} is drilled on ${expected}`, async () => {
    await withServerOf(expected, async () => {
      const scratch = await scratchServer([], `${of}.1 (Debian)`);
      try {
        assert.equal(Math.floor(scratch.target.version / 10_000), expected);
      } finally {
        await scratch.end();
      }
    });
  });
}
