/**
 * A role that may read every table, but is no superuser, dumps the same: what the server hides from it (other roles'
 * passwords for foreign servers, subscriptions, large objects) is named, and nothing else is missing.
 */
import assert from "node:assert/strict";
import { startCluster } from "../../stack/postgres/cluster.ts";
import { readCases } from "./cases.ts";
import { compareArchives } from "./compare.ts";
import { dumpOurs } from "./ours.ts";
import { dumpArchive, loadFile, runProgram, runSql } from "./programs.ts";

/** What is named as missing, case by case. */
const CASES: Record<string, string[]> = {
  "mixed--theatre": [],
  "data--row-security-hides-nothing": [],
  "extension--configuration-table": [],
  "foreigndata--tables": [],
  "function--bodies-that-hurt": [],
  "partition--keys-and-indexes": [],
  "table--rights-of-every-kind": [],
  "foreigndata--user-mappings": [
    'user mapping o\'brien "the" \\voice server s',
    "user mapping actor server s",
    "user mapping public server s",
    'user mapping select server Server "x"',
  ],
  "largeobject--plain": ["large object 3000", "large object 3001", "large object 4294967000"],
  "subscription--plain": ['subscription Sub "x"', "subscription named", "subscription sub"],
};

Deno.test("a role without a superuser's rights dumps what it may read and names the rest", async (test) => {
  const cluster = await startCluster({
    settings: { allow_in_place_tablespaces: "on", wal_level: "logical" },
  });
  const folder = await Deno.makeTempDir({ prefix: "unprivileged-" });
  try {
    await loadFile(
      cluster,
      "postgres",
      decodeURIComponent(new URL("./cluster.sql", import.meta.url).pathname),
    );
    await runSql(cluster, "create role reader login bypassrls in role pg_read_all_data");
    const cases = await readCases();
    for (const [name, missing] of Object.entries(CASES)) {
      await test.step(name, async () => {
        const [ours, theirs] = [`${folder}/ours.dump`, `${folder}/theirs.dump`];
        await runSql(cluster, `create database "${name}"`);
        await loadFile(cluster, name, cases.find((one) => one.name === name)!.setup);
        const warnings = await dumpOurs(cluster.url(name, "reader"), ours);
        assert.deepEqual(warnings.map(({ object }) => object).sort(), missing.toSorted());
        assert.ok(warnings.every(({ code }) => code === "no_privilege"));
        if (missing.length > 0) {
          // Still an archive, with all that was not named.
          await runProgram(cluster, "pg_restore", ["--list", ours]);
          return;
        }
        await dumpArchive(cluster, name, theirs);
        const difference = await compareArchives(cluster, ours, theirs);
        assert.ok(difference === null, difference ?? "");
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
    await cluster.stop();
  }
});
