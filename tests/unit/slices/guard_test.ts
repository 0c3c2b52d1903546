/**
 * Large tables of other owners are cut as well, and a function that the owner adds meanwhile is never called by the
 * backup.
 */
import assert from "node:assert/strict";
import postgres from "postgres";
import { startCluster } from "../../../stack/postgres/cluster.ts";
import { SegmentDeflater } from "../../../supabase/functions/backup/archive/segment.ts";
import type { TableData } from "../../../supabase/functions/backup/entry.ts";
import { openSession, type Session } from "../../../supabase/functions/backup/postgres/session.ts";
import { beginSnapshot } from "../../../supabase/functions/backup/postgres/snapshot.ts";
import { estimateTables } from "../../../supabase/functions/backup/slices/estimate.ts";
import { guardOf } from "../../../supabase/functions/backup/slices/guard.ts";
import { exportPiece } from "../../../supabase/functions/backup/slices/export_piece.ts";
import type { Piece } from "../../../supabase/functions/backup/slices/piece.ts";
import { planSlices } from "../../../supabase/functions/backup/slices/plan.ts";
import { readDump } from "../../../supabase/functions/backup/toc/dump.ts";

const SLICE_BYTES = 65_536;

const SETUP = `
  create role prisma login; create role backup login bypassrls in role pg_read_all_data, prisma;
  create role other login; create schema app; grant all on schema app to prisma; create schema own authorization prisma; create schema far authorization other;
  set role prisma;
  create table app.large (id int primary key, note text);
  insert into app.large select g, repeat(md5(g::text), 20) from generate_series(1, 2000) g;
  create index on app.large (lower(note));
  create function app.evil(what text) returns boolean language plpgsql immutable as $$ begin return true; end $$;
  create table own.large as select * from app.large;
  reset role; set role other;
  create table far.large (id int primary key, note text);
  insert into far.large select g, repeat(md5(g::text), 20) from generate_series(1, 2000) g;
  reset role; create role supabase_auth_admin login; create schema auth authorization supabase_auth_admin;
  set role supabase_auth_admin;
  create table auth.large (id int primary key, note text);
  insert into auth.large select g, repeat(md5(g::text), 20) from generate_series(1, 2000) g;
  reset role`;

async function piecesOf(session: Session): Promise<{ tables: TableData[]; pieces: Piece[] }> {
  await beginSnapshot(session);
  const { data } = await readDump(session, { lockTimeoutMs: 1000 });
  const estimates = await estimateTables(session, data, SLICE_BYTES);
  const slices = planSlices(data, estimates, { sliceBytes: SLICE_BYTES, headParts: 1 });
  return { tables: data, pieces: slices.flatMap(({ pieces }) => pieces) };
}

Deno.test("a large table of an owner who is not trusted", async (test) => {
  const cluster = await startCluster({ settings: { track_functions: "all" } });
  const url = cluster.url("postgres", "backup");
  const admin = await openSession(cluster.url());
  await admin.sql.unsafe(SETUP).simple();
  const owner = postgres(cluster.url("postgres", "prisma"), { max: 1, onnotice: () => {} });
  const [exporter, control] = [await openSession(url), await openSession(url)];
  const deflater = new SegmentDeflater(1);
  const emit = () => Promise.resolve();
  try {
    const { pieces } = await piecesOf(exporter);
    const cut = pieces.filter(({ table }) => table === "app.large");

    await test.step("is cut where its lock can be taken, and else copied whole", () => {
      assert.ok(cut.length > 3, `${cut.length} pieces`);
      const platforms = pieces.filter(({ table }) => table === "auth.large");
      assert.ok(platforms.length > 3, `${platforms.length} pieces of a table of the platform's`);
      assert.equal(pieces.filter(({ table }) => table === "far.large").length, 1);
      assert.equal(
        pieces.filter(({ table }) => table === "own.large").length,
        1,
        "its schema could be renamed",
      );
    });

    await test.step("is not read in part without a guard", async () => {
      await assert.rejects(exportPiece(exporter, cut[0]!, deflater, emit), /without a guard/);
    });

    await test.step("is read in part while nothing can be added to it, and free again afterwards", async () => {
      let added: Promise<unknown> | null = null;
      const statement = "create statistics app.late on (app.evil('late')), id from app.large";
      const guard = guardOf(exporter, control, 1000);
      let rows = 0;
      for (const piece of cut) {
        const slow = async () => {
          if (added !== null) return;
          added = owner.unsafe(statement).catch((error) => error);
          const [{ waits }] = await waitingFor(admin);
          assert.equal(waits, 1, "the owner waits for the lock");
        };
        const watched: typeof guard = (table, read) => guard(table, async () => (await slow(), await read()));
        if (piece === cut[1]) break;
        rows += (await exportPiece(exporter, piece, deflater, emit, { guard: watched })).rows;
      }
      assert.ok(rows > 0);
      await added!;
      await assert.rejects(exportPiece(exporter, cut[1]!, deflater, emit, { guard }), {
        code: "table_not_read",
        message: /app\.large.*not trusted/,
      });
      await exporter.sql.unsafe("rollback");
    });

    await test.step("is copied whole where it has an expression of somebody's already", async () => {
      const { tables, pieces } = await piecesOf(exporter);
      assert.equal(pieces.filter(({ table }) => table === "app.large").length, 1);
      assert.equal(tables.find(({ qualifiedName }) => qualifiedName === "app.large")!.sliceable, false);
      for (const piece of pieces) await exportPiece(exporter, piece, deflater, emit);
    });

    await Promise.all([exporter.close(), control.close(), owner.end()]);
    const calls = await admin.sql.unsafe("select * from pg_stat_user_functions where funcname = 'evil'");
    assert.deepEqual([...calls], []);
  } finally {
    await Promise.allSettled([exporter.close(), control.close(), owner.end(), admin.close()]);
    await cluster.stop();
  }
});

/** Waits until a session waits for a lock on a relation. */
async function waitingFor({ sql }: Session): Promise<[{ waits: number }]> {
  for (let tried = 0; tried < 200; tried++) {
    const [row] = await sql.unsafe<{ waits: number }[]>(
      "select count(*)::int as waits from pg_locks where not granted and locktype = 'relation'",
    );
    if (row!.waits > 0) return [row!];
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return [{ waits: 0 }];
}
