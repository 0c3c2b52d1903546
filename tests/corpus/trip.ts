/** One case's way there and back. */
import type { Cluster } from "../../stack/postgres/cluster.ts";
import type { Session } from "../../supabase/functions/backup/postgres/session.ts";
import type { Case } from "./cases.ts";
import { compareArchives, compareScripts } from "./compare.ts";
import { dumpOurs } from "./ours.ts";
import { restoreByEngine } from "./engine.ts";
import { archiveScript, dumpArchive, dumpScript, loadFile, restoreArchive } from "./programs.ts";

/**
 * Who knows better: `pg_dump` where there is one for the server's version; else our own dump of the restored database,
 * which must say the same again.
 */
export type Oracle = "pg_dump" | "restored database";

export interface Place {
  cluster: Cluster;
  /** Makes and drops databases: a program for each would take longer than the work. */
  admin: Session;
  /** How the server makes a database with the least work. */
  strategy: string;
  oracle: Oracle;
  /** Of our engine when it restores. */
  jobs: number;
}

/** What is done with a case's archive: only compared, restored by our engine too, or by pg_restore as well. */
export type Way = "compared" | "restored" | "restored by both";

/**
 * Sets up, dumps, compares; restores it and compares again, as far as `way` says. An archive that prints what
 * pg_dump's prints needs no restore by pg_restore, which would do the same. Returns what differs, in words; null when
 * nothing does. Throws when a step fails.
 */
export async function makeTrip(
  { cluster, admin, strategy, oracle: usual, jobs }: Place,
  { name, setup, encoding, notRestored, oracleFails, says }: Case,
  way: Way,
): Promise<string | null> {
  const oracle = oracleFails === null ? usual : "restored database";
  const folder = await Deno.makeTempDir({ prefix: "corpus-" });
  // A name that has to be quoted wherever it appears.
  const [original, restored, byEngine] = ["o", "r", "e"].map((what) => `${name}'s "${what}"`) as [
    original: string,
    restored: string,
    byEngine: string,
  ];
  const [ours, theirs] = [`${folder}/ours.dump`, `${folder}/theirs.dump`];
  const locale = encoding === "UTF8" ? "C.UTF-8" : "C";
  const create = (database: string) =>
    admin.sql.unsafe(
      `create database ${
        quoted(database)
      } template template0 encoding '${encoding}' locale '${locale}' ${strategy}`,
    );
  try {
    await create(original);
    await loadFile(cluster, original, setup);
    const warnings = await dumpOurs(cluster.url(original), ours);
    if (warnings.length > 0) {
      return warnings.map(({ code, object, message }) => `warning ${code}: ${object}: ${message}`).join("\n");
    }
    if (oracleFails !== null && usual === "pg_dump") {
      const archive = dumpArchive(cluster, original, theirs, { encoding });
      if (await archive.then(() => true, () => false)) return "pg_dump does not fail";
    }
    if (oracle === "pg_dump") {
      await dumpArchive(cluster, original, theirs, { encoding });
      const difference = await compareArchives(cluster, ours, theirs);
      if (difference !== null) return difference;
    }
    const staysHere = way === "compared" || notRestored !== null;
    if (staysHere && says.length === 0) return null;
    const script = await archiveScript(cluster, ours);
    const unsaid = says.filter((line) => !script.split("\n").includes(line));
    if (unsaid.length > 0) return `the script has no line\n${unsaid.join("\n")}\n\n${script}`;
    if (staysHere) return null;
    const dumped = async (database: string) => {
      if (oracle === "pg_dump") return await dumpScript(cluster, database, { encoding });
      await dumpOurs(cluster.url(database), theirs);
      return await archiveScript(cluster, theirs);
    };
    if (way === "restored by both" || oracle !== "pg_dump") {
      await create(restored);
      await restoreArchive(cluster, ours, restored);
      const again = compareScripts(`${oracle}: the restored database`, await dumped(restored), script);
      if (again !== null) return again;
    }
    await create(byEngine);
    const refused = await restoreByEngine(cluster, ours, byEngine, jobs);
    if (refused !== null) return `our engine, jobs ${jobs}: ${refused}`;
    const different = compareScripts(
      `the database that our engine restored, jobs ${jobs}`,
      await dumped(byEngine),
      script,
    );
    if (different !== null) return different;
    return null;
  } finally {
    await Deno.remove(folder, { recursive: true });
    await dropDatabases(admin, [original, restored, byEngine]);
  }
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
