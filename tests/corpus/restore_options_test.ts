/** pg_restore lists, filters and restores our archive as it does pg_dump's: one rich database, every option. */
import assert from "node:assert/strict";
import { startCluster } from "../../stack/postgres/cluster.ts";
import { compareScripts, firstDifference } from "./compare.ts";
import { dumpOurs } from "./ours.ts";
import { dumpArchive, dumpScript, loadFile, runProgram, runSql } from "./programs.ts";

const FOLDER = decodeURIComponent(new URL("./", import.meta.url).pathname);

/** Each prints a script. */
const FILTERS: string[][] = [
  ["--schema-only"],
  ["--data-only"],
  ["--data-only", "--disable-triggers", "--superuser=boss"],
  ["--section=pre-data"],
  ["--section=data"],
  ["--section=post-data"],
  ["--clean"],
  ["--clean", "--if-exists"],
  ["--create"],
  ["--create", "--clean", "--if-exists"],
  ["--no-owner"],
  ["--no-privileges"],
  ["--no-comments"],
  ["--no-publications"],
  ["--no-tablespaces"],
  ["--no-table-access-method"],
  ["--use-set-session-authorization"],
  ["--enable-row-security"],
  ["--schema=theatre"],
  ["--schema=Archive Room"],
  ["--exclude-schema=theatre"],
  ["--table=play"],
  ["--table=upcoming", "--table=counts", "--table=tickets", "--table=guests"],
  ["--schema=theatre", "--table=show_2023", "--data-only"],
  ["--index=show_play", "--index=Actor's name"],
  ["--function=is_good(theatre.title)"],
  ["--function=close(integer, text)", "--function=total(integer)"],
  ["--trigger=play touch"],
  ["--strict-names", "--schema=theatre", "--table=show_2023"],
];

Deno.test("pg_restore takes our archive as it takes pg_dump's", async (test) => {
  const cluster = await startCluster({
    settings: { allow_in_place_tablespaces: "on", wal_level: "logical" },
  });
  const folder = await Deno.makeTempDir({ prefix: "options-" });
  try {
    await loadFile(cluster, "postgres", `${FOLDER}cluster.sql`);
    await runSql(cluster, "create database company");
    await loadFile(cluster, "company", `${FOLDER}mixed--company/setup.sql`);
    const [ours, theirs] = [`${folder}/ours.dump`, `${folder}/theirs.dump`];
    await dumpArchive(cluster, "company", theirs);
    await dumpOurs(cluster.url("company"), ours);
    const restore = (archive: string, options: string[]) =>
      runProgram(cluster, "pg_restore", [...options, archive]);
    const bothWays = async (options: string[]) =>
      compareScripts(
        options.join(" "),
        ...await both([ours, theirs], (archive) => restore(archive, options)),
      );

    await test.step("--list", async () => {
      const lists = await both([ours, theirs], (archive) => restore(archive, ["--list"]));
      assert.ok(lists[1].includes("MATERIALIZED VIEW DATA theatre counts"));
      const difference = firstDifference("list", withoutIds(lists[0]), withoutIds(lists[1]));
      assert.ok(difference === null, difference ?? "");
    });

    for (const options of FILTERS) {
      await test.step(options.join(" "), async () => {
        const difference = await bothWays([...options, "--file=-"]);
        assert.ok(difference === null, difference ?? "");
      });
    }

    await test.step("the filters filter: no two of them print the same", async () => {
      const scripts = await Promise.all(FILTERS.map((options) => restore(ours, [...options, "--file=-"])));
      const printed = new Map(scripts.map((script, index) => [withoutToken(script), FILTERS[index]!]));
      assert.deepEqual([...printed.values()], FILTERS);
    });

    await test.step("--use-list with half of the entries, in another order", async () => {
      const difference = compareScripts(
        "use-list",
        ...await both([ours, theirs], async (archive) => {
          const lines = (await restore(archive, ["--list"])).split("\n")
            .filter((line) => /^\d+;/.test(line) && !/ (POLICY|INDEX|COMMENT) /.test(line));
          const list = `${archive}.list`;
          await Deno.writeTextFile(list, lines.toReversed().join("\n"));
          return await restore(archive, [`--use-list=${list}`, "--file=-"]);
        }),
      );
      assert.ok(difference === null, difference ?? "");
    });

    for (
      const options of [["--jobs=4"], ["--single-transaction"], ["--no-owner", "--no-privileges", "--jobs=2"]]
    ) {
      await test.step(`a restore with ${options.join(" ")} gives the same database`, async () => {
        const scripts = await both([ours, theirs], async (archive) => {
          await runSql(cluster, "create database restored");
          await restore(archive, [...options, "--exit-on-error", `--dbname=${cluster.url("restored")}`]);
          const script = await dumpScript(cluster, "restored", { encoding: "UTF8" });
          await runSql(cluster, "drop database restored");
          return script;
        });
        const difference = compareScripts("restored", ...scripts);
        assert.ok(difference === null, difference ?? "");
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
    await cluster.stop();
  }
});

async function both(archives: [string, string], work: (archive: string) => Promise<string>) {
  const [ours, theirs] = archives;
  return [await work(ours), await work(theirs)] as [string, string];
}

/** Dump ids differ, and so do the header's times. */
function withoutIds(list: string): string {
  return list.replace(/^;.*$/gm, "").replace(/^\d+; /gm, "");
}

function withoutToken(script: string): string {
  return script.replace(/^\\(un)?restrict \w+$/gm, "");
}
