/** The corpus on one server: every case both ways, reported as a step. */
import assert from "node:assert/strict";
import { type Cluster, startCluster } from "../../stack/postgres/cluster.ts";
import { openSession } from "../../supabase/functions/backup/postgres/session.ts";
import type { Case } from "./cases.ts";
import { knownDifference } from "./known_differences.ts";
import { loadFile, runProgram } from "./programs.ts";
import { makeTrip, type Oracle, type Way } from "./trip.ts";

/** Cases at a time: most of a case's time is another process'. */
const AT_A_TIME = 2;

/** Tablespaces need no folder of their own here, and publications no warning. */
const SETTINGS = { allow_in_place_tablespaces: "on", wal_level: "logical", max_connections: "20" };

/** Cases run before the step that reports them, so their resources are not the step's, nor the test's. */
export const UNWATCHED = { sanitizeOps: false, sanitizeResources: false };

export interface TrialOptions {
  /** Folder of the server's programs; the machine's without it. */
  binDir?: string;
  /** Connections of our engine. */
  jobs?: number;
}

/**
 * Tries the cases that are meant for the server's version, on one server. Throws when there is none; differences fail
 * their steps.
 */
export async function tryCases(
  test: Deno.TestContext,
  cases: Case[],
  wayOf: (one: Case) => Way,
  { binDir, jobs = 1 }: TrialOptions = {},
): Promise<void> {
  const cluster = await startCluster({ settings: SETTINGS, ...(binDir ? { binDir } : {}) });
  const admin = await openSession(cluster.url());
  try {
    const version = await majorVersion(cluster, "postgres");
    // pg_dump refuses servers that are newer than itself.
    const oracle: Oracle = await majorVersion(cluster, "pg_dump") < version ? "restored database" : "pg_dump";
    // Through the log it takes five times as long, where the files lie in memory.
    const strategy = version >= 15 ? "strategy file_copy" : "";
    const meant = cases.filter(({ fromVersion, untilVersion }) =>
      fromVersion <= version && version <= untilVersion
    );
    assert.ok(meant.length > 0, `none of ${cases.length} cases is for server ${version}`);
    await loadFile(
      cluster,
      "postgres",
      decodeURIComponent(new URL("./cluster.sql", import.meta.url).pathname),
    );
    const results = inTurns(
      meant,
      (one) =>
        makeTrip({ cluster, admin, strategy, oracle, jobs }, one, wayOf(one)).catch((error) => String(error)),
    );
    for (const [index, { name }] of meant.entries()) {
      const difference = await results[index]!;
      const known = oracle === "pg_dump" ? knownDifference(name, version) : undefined;
      await test.step({
        name: known === undefined ? name : `${name} (differs: ${known})`,
        ...UNWATCHED,
        fn: () => {
          if (known === undefined && difference !== null) throw new CaseFailure(difference);
          assert.ok(known === undefined || difference !== null, "does not differ: strike it off the list");
        },
      });
    }
  } finally {
    await admin.close();
    await cluster.stop();
  }
}

async function majorVersion(cluster: Cluster, program: string): Promise<number> {
  const version = await runProgram(cluster, program, ["--version"]);
  return Number(version.match(/(\d+)(?:\.|beta|rc)/)![1]);
}

/** The difference is all there is to say; where it was thrown is of no interest. */
class CaseFailure extends Error {
  override stack = undefined as never;
}

/** Starts the work on all items, `AT_A_TIME` of them at once, in order. */
function inTurns<Item, Result>(items: Item[], work: (item: Item) => Promise<Result>): Promise<Result>[] {
  const turns = items.map(() => Promise.withResolvers<Result>());
  let next = 0;
  const takeTurns = async () => {
    while (next < items.length) {
      const index = next++;
      await work(items[index]!).then(turns[index]!.resolve, turns[index]!.reject);
    }
  };
  for (let index = 0; index < AT_A_TIME; index++) takeTurns();
  return turns.map(({ promise }) => promise);
}
