/**
 * Tables that are hard to cut, on a real server: the pieces together are the table, and each is of about the asked
 * size.
 */
import assert from "node:assert/strict";
import { startCluster } from "../../../stack/postgres/cluster.ts";
import { SegmentDeflater } from "../../../supabase/functions/backup/archive/segment.ts";
import { openSession, type Session } from "../../../supabase/functions/backup/postgres/session.ts";
import { beginSnapshot } from "../../../supabase/functions/backup/postgres/snapshot.ts";
import { estimateTables } from "../../../supabase/functions/backup/slices/estimate.ts";
import { exportPiece } from "../../../supabase/functions/backup/slices/export_piece.ts";
import { copyStatement, type Piece } from "../../../supabase/functions/backup/slices/piece.ts";
import { planSlices } from "../../../supabase/functions/backup/slices/plan.ts";
import type { TableData } from "../../../supabase/functions/backup/entry.ts";

const SLICE_BYTES = 256 * 1024;

const CASES: { name: string; setup: string; atLeast: number }[] = [
  {
    name: "rows of one size",
    setup:
      "create table public.t as select g as id, repeat(md5(g::text), 3) as text from generate_series(1, 20000) g",
    atLeast: 7,
  },
  {
    name: "texts that TOAST has compressed to almost nothing",
    setup:
      "create table public.t as select g as id, repeat('theatre ', 40000) as text from generate_series(1, 30) g",
    atLeast: 30,
  },
  {
    name: "pages of more rows than are looked at, whose text is in TOAST",
    setup: `create table public.t as
      select g as id, (select string_agg(md5((g * 400 + n)::text), '') from generate_series(1, 100) n) as text
      from generate_series(1, 500) g`,
    atLeast: 6,
  },
  {
    name: "narrow rows first, wide rows last",
    setup:
      `create table public.t as select g as id, repeat('x', case when g > 19000 then 1800 else 10 end) as text
      from generate_series(1, 20000) g`,
    atLeast: 7,
  },
  {
    name: "a bloated table with a few rows left at its end",
    setup:
      `create table public.t as select g as id, repeat('x', 500) as text from generate_series(1, 20000) g;
      delete from public.t where id < 19900`,
    atLeast: 1,
  },
  {
    name: "a table emptied by delete",
    setup:
      `create table public.t as select g as id, repeat('x', 500) as text from generate_series(1, 5000) g; delete from public.t`,
    atLeast: 1,
  },
  {
    name: "a truncated table",
    setup:
      "create table public.t as select g as id, 'x' as text from generate_series(1, 5000) g; truncate public.t",
    atLeast: 1,
  },
  {
    name: "rows that were updated to other pages",
    setup: `create table public.t as select g as id, repeat('x', 300) as text from generate_series(1, 4000) g;
      update public.t set text = text || 'y' where id % 3 = 0`,
    atLeast: 4,
  },
];

async function describe(session: Session): Promise<TableData> {
  const [row] = await session.sql.unsafe<{ pages: number; heap: number; toast: number }[]>(`
    select (pg_relation_size('public.t') / 8192)::int as pages, pg_relation_size('public.t')::float8 as heap,
      coalesce(pg_relation_size(nullif(reltoastrelid, 0)::oid), 0)::float8 as toast
    from pg_class where oid = 'public.t'::regclass`);
  return {
    dumpId: 5,
    oid: 0,
    schema: "public",
    name: "t",
    qualifiedName: "public.t",
    columnList: "(id, text)",
    filter: "",
    sliceable: true,
    pages: row!.pages,
    heapBytes: row!.heap,
    toastBytes: row!.toast,
    owner: "postgres",
    estimatedRows: -1,
  };
}

async function copied(session: Session, statement: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  await session.copy(statement, (block) => void (text += decoder.decode(block, { stream: true })));
  return text;
}

const pieceText = (session: Session, piece: Piece) => copied(session, copyStatement(piece));

Deno.test("a table that is hard to cut", async (test) => {
  const cluster = await startCluster();
  const [writer, reader] = [await openSession(cluster.url()), await openSession(cluster.url())];
  const check = async (atLeast: number) => {
    const table = await describe(reader);
    const estimates = await estimateTables(reader, [table], SLICE_BYTES);
    const slices = planSlices([table], estimates, { sliceBytes: SLICE_BYTES, headParts: 1 });
    // Rows that come after the snapshot go behind the counted pages and must not be seen.
    await writer.sql.unsafe("insert into public.t select g, 'later' from generate_series(1, 3000) g");
    const texts: string[] = [];
    for (const { pieces } of slices) texts.push(await pieceText(reader, pieces[0]!));
    assert.equal(texts.join(""), await copied(reader, "copy public.t (id, text) to stdout"));
    assert.ok(slices.length >= atLeast, `${slices.length} slices`);
    const largest = Math.max(...texts.map(({ length }) => length));
    const row = Math.max(0, ...texts.join("").split("\n").map(({ length }) => length));
    assert.ok(largest <= 2 * SLICE_BYTES + row, `the largest slice has ${largest} bytes`);
  };
  try {
    for (const { name, setup, atLeast } of CASES) {
      await test.step(name, async () => {
        await writer.sql.unsafe("drop table if exists public.t");
        await writer.sql.unsafe(setup);
        await beginSnapshot(reader);
        try {
          await check(atLeast);
        } finally {
          await reader.sql.unsafe("rollback");
        }
      });
    }
  } finally {
    await Promise.allSettled([writer.close(), reader.close()]);
    await cluster.stop();
  }
});

Deno.test("a table whose rows cannot be read is guessed at by its size, and named when it is read", async () => {
  const cluster = await startCluster();
  const session = await openSession(cluster.url());
  try {
    // A value that is not a label any more: the type's output function fails.
    await session.sql.unsafe(`
      create role tenant;
      create type public.mood as enum ('sad');
      create table public.t as select 'sad'::public.mood as id, repeat('x', 500) as text from generate_series(1, 5000) g;
      create table public.whole as select g as id, repeat('x', 500) as text from generate_series(1, 5000) g;
      alter table public.t owner to tenant;
      delete from pg_enum`).simple();
    await beginSnapshot(session);
    const broken = { ...await describe(session), owner: "tenant" };
    const whole = { ...broken, qualifiedName: "public.whole" };
    const [guess, estimate] = await estimateTables(session, [broken, whole], SLICE_BYTES);
    assert.equal(guess!.bytes, broken.heapBytes + broken.toastBytes);
    assert.ok(estimate!.regions!.length > 1, "the next table is sampled");
    const slices = planSlices([broken], [guess!], { sliceBytes: SLICE_BYTES, headParts: 1 });
    assert.ok(slices.length > 5, "it is cut all the same");
    const [piece] = slices[0]!.pieces;
    await session.sql.unsafe("savepoint slice");
    await assert.rejects(exportPiece(session, piece!, new SegmentDeflater(4), () => Promise.resolve()), {
      message: /^Cannot read table public\.t \(owner tenant\): invalid internal value for enum/,
    });
    await session.sql.unsafe("rollback to savepoint slice");
    const [limit] = await session.sql.unsafe("show statement_timeout");
    assert.deepEqual(limit, { statement_timeout: "0" }, "sampling has a limit, COPY has none");
  } finally {
    await session.close();
    await cluster.stop();
  }
});
