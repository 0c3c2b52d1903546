/** Every case of the corpus on servers of other versions than the machine's. */
import { tryEveryCase } from "../corpus/every_case.ts";
import { UNWATCHED } from "../corpus/run.ts";
import { OTHER_VERSIONS, withServerOf } from "../servers/versions.ts";

/** Of our engine: every second server is restored to by several connections. */
const JOBS = [1, 3];

for (const [index, version] of OTHER_VERSIONS.entries()) {
  const jobs = JOBS[index % JOBS.length]!;
  Deno.test(
    `every case is the same, and comes back, on a server of version ${version}`,
    UNWATCHED,
    (test) => withServerOf(version, (binDir) => tryEveryCase(test, jobs, binDir)),
  );
}
