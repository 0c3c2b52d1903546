/** One case's way there and back. */
import type { Cluster } from "../../stack/postgres/cluster.ts";
import type { Session } from "../../supabase/functions/backup/postgres/session.ts";
import type { Case } from "./cases.ts";
import { compareArchives, compareScripts } from "./compare.ts";
import { dumpOurs } from "./ours.ts";
import { archiveScript, dumpArchive, dumpScript, loadFile, restoreArchive } from "./programs.ts";

/**
 * Who knows better: `pg_dump` where there is one for the server's version; else our own dump of the restored database, which must say
 * the same again.
 */
export type Oracle = "pg_dump" | "restored database";

export interface Place {
  cluster: Cluster;
  /** Makes and drops databases: a program for each would take longer than the work. */
  admin: Session;
  oracle: Oracle;
}

/** Sets up, dumps, compares, restores, compares again. Answers what differs, in words; null when nothing does. Throws when a step fails. */
export async function makeTrip(
  { cluster, admin, oracle }: Place,
  { name, setup, encoding, notRestored, says }: Case,
): Promise<string | null> {
  const folder = await Deno.makeTempDir({ prefix: "corpus-" });
  // A name that has to be quoted wherever it appears.
  const [original, restored] = [`${name}'s "o"`, `${name}'s "r"`];
  const [ours, theirs] = [`${folder}/ours.dump`, `${folder}/theirs.dump`];
  try {
    await createDatabase(admin, original, encoding);
    await loadFile(cluster, original, setup);
    const warnings = await dumpOurs(cluster.url(original), ours);
    if (warnings.length > 0) {
      return warnings.map(({ code, object, message }) => `warning ${code}: ${object}: ${message}`).join("\n");
    }
    if (oracle === "pg_dump") {
      await dumpArchive(cluster, original, theirs, { encoding });
      const difference = await compareArchives(cluster, ours, theirs);
      if (difference !== null) return difference;
    }
    const script = await archiveScript(cluster, ours);
    const unsaid = says.filter((line) => !script.split("\n").includes(line));
    if (unsaid.length > 0) return `the script has no line\n${unsaid.join("\n")}\n\n${script}`;
    if (notRestored !== null) return null;
    await createDatabase(admin, restored, encoding);
    await restoreArchive(cluster, ours, restored);
    if (oracle === "pg_dump") {
      const again = await dumpScript(cluster, restored, { encoding });
      return compareScripts("pg_dump of the restored database", again, script);
    }
    await dumpOurs(cluster.url(restored), theirs);
    return compareScripts(
      "our dump of the restored database",
      await archiveScript(cluster, theirs),
      script,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
    await dropDatabases(admin, [original, restored]);
  }
}

async function createDatabase({ sql }: Session, name: string, encoding: string): Promise<void> {
  const locale = encoding === "UTF8" ? "C.UTF-8" : "C";
  await sql.unsafe(
    `create database ${quoted(name)} template template0 encoding '${encoding}' locale '${locale}'`,
  );
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A database with subscriptions cannot be dropped; it goes with its cluster. */
async function dropDatabases({ sql }: Session, names: string[]): Promise<void> {
  for (const name of names) {
    await sql.unsafe(`drop database if exists ${quoted(name)} with (force)`).catch((error: Error) => {
      if (!error.message.includes("subscription")) throw error;
    });
  }
}
