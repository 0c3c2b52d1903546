/** Servers of all major versions that projects run, with the clients of their version. */
import { majorOf } from "../../stack/postgres/binaries.ts";
import { installPostgres, serverOf } from "../../stack/postgres/install.ts";
import { INSTALLABLE_MAJORS } from "../../stack/postgres/releases.ts";

/** What is compared with its own pg_dump wherever the tests run. */
export const COMPARED_VERSIONS: readonly number[] = [15, ...INSTALLABLE_MAJORS];

/** That of the servers which tests start that ask for none. */
export const OWN_VERSION = await majorOf(await installPostgres());

/** The others. 16 is tried where the machine has it: no Debian release packages it. */
export const OTHER_VERSIONS: readonly number[] = [...COMPARED_VERSIONS, 16].sort()
  .filter((version) => version !== OWN_VERSION);

/**
 * Calls `use` with the folder of a version's programs, for startCluster(). Where the version cannot be had the test
 * says so and passes; with ALL_TESTS, as the long tests set it, it fails when that version can be downloaded.
 */
export async function withServerOf(
  version: number,
  use: (binDir: string) => Promise<void>,
): Promise<void> {
  let binDir: string;
  try {
    binDir = await serverOf(version);
  } catch (error) {
    if (Deno.env.get("ALL_TESTS") && INSTALLABLE_MAJORS.includes(version)) throw error;
    console.warn(`SKIPPED: nothing was tried on PostgreSQL ${version}. ${(error as Error).message}`);
    return;
  }
  await use(binDir);
}
