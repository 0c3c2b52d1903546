/**
 * A server that is newer than all known ones is dumped, with a warning: tried on the newest one that can be had, under
 * another number.
 */
import assert from "node:assert/strict";
import { startCluster } from "../../stack/postgres/cluster.ts";
import { openSession, type Session } from "../../supabase/functions/backup/postgres/session.ts";
import { beginSnapshot } from "../../supabase/functions/backup/postgres/snapshot.ts";
import { readDump } from "../../supabase/functions/backup/toc/dump.ts";
import { COMPARED_VERSIONS, withServerOf } from "./versions.ts";

Deno.test("a server of an unknown version is dumped with a warning", async () => {
  await withServerOf(COMPARED_VERSIONS.at(-1)!, async (binDir) => {
    const cluster = await startCluster({ binDir });
    const session = await openSession(cluster.url());
    try {
      await session.sql.unsafe("create table public.performance (title text)");
      await beginSnapshot(session);
      const known = await readDump(session, { lockTimeoutMs: 1000 });
      const unknown = await readDump(renumbered(session, 190001), { lockTimeoutMs: 1000 });
      assert.deepEqual(known.warnings, []);
      assert.deepEqual(unknown.warnings, [{
        code: "unknown_server_version",
        object: "PostgreSQL 19",
        message: "The backup may lack what is new in this version: it knows servers up to 18",
      }]);
      assert.deepEqual(unknown.entries, known.entries);
    } finally {
      await session.close();
      await cluster.stop();
    }
  });
});

/** The same session, on a server that says it has this version. */
function renumbered(session: Session, version: number): Session {
  const sql = new Proxy(session.sql, {
    get(target, name) {
      if (name !== "unsafe") return Reflect.get(target, name);
      return (query: string, ...rest: []) =>
        target.unsafe(query.replace("current_setting('server_version_num')", `'${version}'`), ...rest);
    },
  });
  return Object.create(session, { sql: { value: sql } });
}
