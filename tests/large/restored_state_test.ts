/**
 * What our archive restores is what pg_dump's restores: on each version and from one to the next, by pg_restore and by
 * our own engine, each with one connection and with several. pg_dump of the target says what there is.
 */
import assert from "node:assert/strict";
import { type Cluster, startCluster } from "../../stack/postgres/cluster.ts";
import { type Case, readCases } from "../corpus/cases.ts";
import { compareScripts } from "../corpus/compare.ts";
import { restoreByEngine } from "../corpus/engine.ts";
import { dumpOurs } from "../corpus/ours.ts";
import { dumpArchive, dumpScript, loadFile, runProgram, runSql } from "../corpus/programs.ts";
import { withServerOf } from "../servers/versions.ts";

/** Each has something that restores may get wrong: order, loops, grants, rows, parts that wait for each other. */
const CHOSEN = [
  "extension--members-with-default-privileges",
  "largeobject--groups-of-owner-and-grants",
  "mixed--company",
  "mixed--order-across-kinds",
  "mixed--theatre",
  "partition--keys-and-indexes",
  "table--grants-by-others-and-odd-roles",
];

const JOBS = 3;

/** From each version into itself, and into later ones as an upgrade of a project goes. */
const UPGRADES: [from: number, to: number][] = [
  [15, 15],
  [15, 17],
  [16, 16],
  [16, 17],
  [17, 17],
  [17, 18],
  [18, 18],
];

for (const [version, target] of UPGRADES) {
  Deno.test(`from ${version} to ${target} both archives restore the same`, async (test) => {
    const cases = (await readCases()).filter(({ name }) => CHOSEN.includes(name));
    assert.equal(cases.length, CHOSEN.length);
    await withServer(version, (from) =>
      withServer(target, async (to) => {
        for (const one of cases) await test.step(one.name, () => compareRestores(from, to, one));
      }));
  });
}

async function withServer(version: number, use: (cluster: Cluster) => Promise<void>): Promise<void> {
  await withServerOf(version, async (binDir) => {
    const settings = { allow_in_place_tablespaces: "on", max_connections: "20" };
    const cluster = await startCluster({ settings, binDir });
    try {
      await loadFile(
        cluster,
        "postgres",
        decodeURIComponent(new URL("../corpus/cluster.sql", import.meta.url).pathname),
      );
      await use(cluster);
    } finally {
      await cluster.stop();
    }
  });
}

async function compareRestores(from: Cluster, to: Cluster, { setup }: Case): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "restored-" });
  const [ours, theirs] = [`${folder}/ours.dump`, `${folder}/theirs.dump`];
  try {
    await inDatabase(from, "original", async () => {
      await loadFile(from, "original", setup);
      await dumpOurs(from.url("original"), ours);
      await dumpArchive(from, "original", theirs);
    });
    const byProgram = (archive: string, ...options: string[]) => (database: string) =>
      runProgram(to, "pg_restore", ["--exit-on-error", ...options, "-d", to.url(database), archive]);
    const byEngine = (jobs: number) => async (database: string) =>
      assert.equal(await restoreByEngine(to, ours, database, jobs), null);
    const expected = await restored(to, byProgram(theirs));
    const ways = {
      "pg_restore": byProgram(ours),
      "pg_restore --jobs": byProgram(ours, `--jobs=${JOBS}`),
      "our engine": byEngine(1),
      "our engine with several connections": byEngine(JOBS),
    };
    for (const [way, restore] of Object.entries(ways)) {
      const difference = compareScripts(way, await restored(to, restore), expected);
      if (difference !== null) throw new Error(difference);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Restores into a new database. Returns what pg_dump says of it. */
async function restored(cluster: Cluster, restore: (database: string) => Promise<unknown>): Promise<string> {
  let script = "";
  await inDatabase(cluster, "restored", async () => {
    await restore("restored");
    script = await dumpScript(cluster, "restored", { encoding: "UTF8" });
  });
  return script;
}

async function inDatabase(cluster: Cluster, name: string, work: () => Promise<void>): Promise<void> {
  await runSql(cluster, `create database ${name} template template0 locale 'C.UTF-8'`);
  try {
    await work();
  } finally {
    await runSql(cluster, `drop database ${name} with (force)`);
  }
}
