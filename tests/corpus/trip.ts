/** One case's way: set up, dump with ours and with pg_dump, compare, restore ours, compare again. */
import type { Cluster } from "../../stack/postgres/cluster.ts";
import type { Case } from "./cases.ts";
import { compareArchives, compareScripts } from "./compare.ts";
import { dumpOurs } from "./ours.ts";
import { archiveScript, dumpArchive, dumpScript, loadFile, restoreArchive, runSql } from "./programs.ts";

/** Answers what differs, in words; null when nothing does. Throws when a step fails. */
export async function makeTrip(cluster: Cluster, { name, setup, encoding, notRestored }: Case) {
  const folder = await Deno.makeTempDir({ prefix: "corpus-" });
  // A name that has to be quoted wherever it appears.
  const [original, restored] = [`${name}'s "o"`, `${name}'s "r"`];
  try {
    await createDatabase(cluster, original, encoding);
    await loadFile(cluster, original, setup);
    const [ours, theirs] = [`${folder}/ours.dump`, `${folder}/theirs.dump`];
    await dumpArchive(cluster, original, theirs, { encoding });
    const warnings = await dumpOurs(cluster.url(original), ours);
    const difference = await compareArchives(cluster, ours, theirs);
    if (difference !== null || warnings.length > 0) {
      return [
        ...warnings.map(({ code, object, message }) => `warning ${code}: ${object}: ${message}`),
        ...(difference === null ? [] : [difference]),
      ].join("\n");
    }
    if (notRestored !== null) return null;
    await createDatabase(cluster, restored, encoding);
    await restoreArchive(cluster, ours, restored);
    return compareScripts(
      "the restored database's dump",
      await dumpScript(cluster, restored, { encoding }),
      await archiveScript(cluster, theirs),
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
    await dropDatabases(cluster, [original, restored]);
  }
}

async function createDatabase(cluster: Cluster, name: string, encoding: string): Promise<void> {
  const locale = encoding === "UTF8" ? "C.UTF-8" : "C";
  await runSql(
    cluster,
    `create database ${
      quoted(name)
    } template template0 strategy file_copy encoding '${encoding}' locale '${locale}'`,
  );
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A database with subscriptions cannot be dropped; it goes with its cluster. */
async function dropDatabases(cluster: Cluster, names: string[]): Promise<void> {
  for (const name of names) {
    await runSql(cluster, `drop database if exists ${quoted(name)} with (force)`).catch((error: Error) => {
      if (!error.message.includes("subscription")) throw error;
    });
  }
}
