/** Large objects of one owner share an entry from server 17 on, which has no statement of its own that drops them. */
import assert from "node:assert/strict";
import { openArchive } from "../../cli/source/archive_file.ts";
import { type Cluster, startCluster } from "../../stack/postgres/cluster.ts";
import { openSession } from "../../supabase/functions/backup/postgres/session.ts";
import { restore } from "../../supabase/functions/backup/restore/restore.ts";
import { select } from "../../supabase/functions/backup/restore_plan/select_entries.ts";
import { dumpOurs } from "../corpus/ours.ts";
import { runSql } from "../corpus/programs.ts";
import { INSTALLABLE_MAJORS } from "../../stack/postgres/releases.ts";
import { withServerOf } from "./versions.ts";

const SETUP =
  "create role prompter; select lo_from_bytea(4001, 'as it was'); select lo_from_bytea(4002, ''); " +
  "alter large object 4001 owner to prompter; alter large object 4002 owner to prompter";

for (const version of INSTALLABLE_MAJORS) {
  Deno.test(`large objects of a server of version ${version} are replaced, and are data`, async () => {
    await withServerOf(version, async (binDir) => {
      const cluster = await startCluster({ binDir });
      const folder = await Deno.makeTempDir({ prefix: "large-objects-" });
      try {
        await runSql(cluster, SETUP);
        await dumpOurs(cluster.url(), `${folder}/archive.dump`);
        const archive = await openArchive(`${folder}/archive.dump`);
        const chosen = (what: { schemaOnly?: boolean; dataOnly?: boolean }) =>
          select(
            archive.entries,
            { tables: [], schemas: [], schemaOnly: false, dataOnly: false, ...what },
            () => true,
          ).map(({ desc }) => desc).filter((desc) => desc.startsWith("BLOB"));
        assert.deepEqual(chosen({ schemaOnly: true }), []);
        assert.deepEqual(chosen({ dataOnly: true }), ["BLOB METADATA", "BLOBS"]);

        await runSql(cluster, "select lo_unlink(4002), lo_put(4001, 0, 'as it is'), lo_create(4003)");
        const account = await restore({
          archive,
          plan: { entries: archive.entries },
          open: () => openSession(cluster.url()),
          options: { clean: true },
        });
        assert.equal(account.outcome, "restored", JSON.stringify(account, null, 2));
        assert.deepEqual(await largeObjects(cluster), [
          { oid: 4001, owner: "prompter", content: "as it was" },
          { oid: 4002, owner: "prompter", content: "" },
          { oid: 4003, owner: "postgres", content: "" },
        ]);
      } finally {
        await Deno.remove(folder, { recursive: true });
        await cluster.stop();
      }
    });
  });
}

async function largeObjects(cluster: Cluster): Promise<{ oid: number; owner: string; content: string }[]> {
  const session = await openSession(cluster.url());
  try {
    return (await session.sql.unsafe(`
      select oid::int, pg_get_userbyid(lomowner) as owner, convert_from(lo_get(oid), 'UTF8') as content
      from pg_largeobject_metadata order by oid`)).map((row) => ({ ...row })) as never;
  } finally {
    await session.close();
  }
}
