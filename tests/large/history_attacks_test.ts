/** The attacks of tests/versioning/attack_test.ts on servers of other versions. */
import { OTHER_VERSIONS, withServerOf } from "../servers/versions.ts";
import { attackHistories } from "../versioning/attack/attack.ts";

for (const version of OTHER_VERSIONS) {
  Deno.test(`a tenant's code runs with nobody's rights through histories, on ${version}`, (t) =>
    withServerOf(version, (binDir) => attackHistories(t, binDir)));
}
