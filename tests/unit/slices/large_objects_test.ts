/** Large objects through the whole way, cut into pieces that different workers could export in any order. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type Cluster, startCluster } from "../../../stack/postgres/cluster.ts";
import { writeHead } from "../../../supabase/functions/backup/archive/header.ts";
import { bytesFrom, readArchive } from "../../../supabase/functions/backup/archive/reader.ts";
import { SegmentDeflater } from "../../../supabase/functions/backup/archive/segment.ts";
import { openSession, type Session } from "../../../supabase/functions/backup/postgres/session.ts";
import { beginSnapshot } from "../../../supabase/functions/backup/postgres/snapshot.ts";
import { estimateTables } from "../../../supabase/functions/backup/slices/estimate.ts";
import { exportPiece } from "../../../supabase/functions/backup/slices/export_piece.ts";
import { planSlices } from "../../../supabase/functions/backup/slices/plan.ts";
import { readDump } from "../../../supabase/functions/backup/toc/dump.ts";

/** Empty, of a few bytes, of several reads, with a hole, with the highest OID. */
const SETUP = `
create role reader login;
select lo_create(2000);
select lo_from_bytea(2001, '\\x00ff5c0a');
select lo_from_bytea(2002, (select string_agg(sha256(i::text::bytea), '') from generate_series(1, 80000) i));
select lo_create(2003), lo_put(2003, 1048576, 'right behind a read');
select lo_from_bytea(4294967295, 'last');
do $$ begin for i in 30000..30099 loop perform lo_from_bytea(i, sha256(i::text::bytea)); end loop; end $$;
grant select on large object 2001 to reader;
grant select on large object 30000 to public;`;

const SLICE_BYTES = 200 * 1024;

async function withCluster(run: (cluster: Cluster, superuser: Session) => Promise<void>): Promise<void> {
  const cluster = await startCluster();
  try {
    const session = await openSession(cluster.url());
    try {
      await session.sql.unsafe(SETUP);
      await run(cluster, session);
    } finally {
      await session.close();
    }
  } finally {
    await cluster.stop();
  }
}

async function digests(session: Session): Promise<Record<string, string>> {
  const rows = await session.sql.unsafe<{ oid: string; digest: string }[]>(
    `select oid::text, pg_catalog.encode(pg_catalog.sha256(pg_catalog.lo_get(oid)), 'hex') as digest
     from pg_catalog.pg_largeobject_metadata`,
  );
  return Object.fromEntries(rows.map(({ oid, digest }) => [oid, digest]));
}

/** The archive of a database, its pieces exported last to first and joined in order. */
async function dump(
  session: Session,
): Promise<{ archive: Uint8Array[]; pieces: number; warnings: string[] }> {
  await beginSnapshot(session);
  const dumped = await readDump(session, { lockTimeoutMs: 1000 });
  const estimates = await estimateTables(session, dumped.data, SLICE_BYTES);
  const slices = planSlices(dumped.data, estimates, { sliceBytes: SLICE_BYTES, headParts: 1 });
  const pieces = slices.flatMap((slice) => slice.pieces);
  const deflater = new SegmentDeflater(4);
  let exported: Uint8Array[] = [];
  for (const piece of pieces.toReversed()) {
    const chunks: Uint8Array[] = [];
    await exportPiece(session, piece, deflater, (bytes) => void chunks.push(bytes.slice()));
    exported = [...chunks, ...exported];
  }
  await session.sql.unsafe("rollback");
  return {
    archive: [writeHead(dumped, { createdAt: new Date(), level: 4 }), ...exported],
    pieces: pieces.length,
    warnings: dumped.warnings.map(({ object }) => object),
  };
}

async function* stream(pieces: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* await Promise.resolve(pieces);
}

Deno.test("[exportPiece] of large objects", async (test) => {
  await withCluster(async (cluster, superuser) => {
    await test.step("gives pieces that pg_restore takes as one block, and readArchive too", async () => {
      const { archive, pieces, warnings } = await dump(superuser);
      assert.ok(pieces > 3, `${pieces} pieces`);
      assert.deepEqual(warnings, []);
      const path = await Deno.makeTempFile();
      try {
        await Deno.writeFile(path, ReadableStream.from(archive));
        await superuser.sql.unsafe("create database restored");
        const { success, stderr } = await new Deno.Command(`${cluster.binDir}/pg_restore`, {
          args: ["--exit-on-error", "-d", cluster.url("restored"), path],
        }).output();
        assert.ok(success, new TextDecoder().decode(stderr));
      } finally {
        await Deno.remove(path);
      }
      const restored = await openSession(cluster.url("restored"));
      const [expected, found] = [await digests(superuser), await digests(restored).finally(restored.close)];
      assert.equal(Object.keys(expected).length, 105);
      assert.deepEqual(found, expected);

      const { blocks } = await readArchive(bytesFrom(stream(archive)));
      const read: Record<string, string> = {};
      for await (const { largeObject, rows } of blocks) {
        const hash = createHash("sha256");
        for await (const bytes of rows) hash.update(bytes);
        read[String(largeObject)] = hash.digest("hex");
      }
      assert.deepEqual(read, expected);
    });

    await test.step("leaves out what the role may not read, and names it", async () => {
      const reader = await openSession(cluster.url("postgres", "reader"));
      try {
        const { archive, warnings } = await dump(reader);
        const { entries } = await readArchive(bytesFrom(stream(archive.slice(0, 1))));
        const dumped = entries.filter(({ desc }) => desc === "BLOB").map(({ tag }) => tag);
        assert.deepEqual(dumped, ["2001", "30000"]);
        assert.equal(warnings.filter((object) => object.startsWith("large object ")).length, 103);
      } finally {
        await reader.close();
      }
    });
  });
});
