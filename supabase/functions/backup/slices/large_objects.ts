/** Exports large objects. COPY reads them in binary, because text would be twice as long and need decoding. */
import { ADLER_OF_NOTHING } from "../archive/adler.ts";
import { closeBlock, closeLargeObjects, openLargeObject, openLargeObjects } from "../archive/block.ts";
import type { Emit, SegmentDeflater } from "../archive/segment.ts";
import { LARGE_OBJECTS_SQL } from "../catalog/large_objects.ts";
import type { Session } from "../postgres/session.ts";
import type { Piece, PieceResult } from "./piece.ts";

/** What each costs beyond its bytes, in bytes: it has a compressed stream of its own. */
export const LARGE_OBJECT_BYTES = 4 * 1024;

/** Read at a time: the server holds this much of an object in memory. */
const READ_BYTES = 1024 * 1024;

/** Signature, flags and a length of further headers, which is zero (PostgreSQL documentation, COPY, Binary Format). */
const HEADER_BYTES = 11 + 4 + 4;
/** A row's head: number of fields, length and value of the OID, length of the bytes. */
const ROW_BYTES = 2 + 4 + 4 + 4;

/** Emits the large objects of a piece as their part of the block. Throws what the database or `emit` throws. */
export async function exportLargeObjects(
  session: Session,
  piece: Piece,
  deflater: SegmentDeflater,
  emit: Emit,
  signal?: AbortSignal,
): Promise<PieceResult> {
  const result = { dumpId: piece.dumpId, rows: 0, rawBytes: 0, adler32: ADLER_OF_NOTHING, storedBytes: 0 };
  const counted: Emit = (bytes) => {
    result.storedBytes += bytes.length;
    return emit(bytes);
  };
  let current: number | null = null;
  const endCurrent = async () => {
    if (current === null) return;
    const { adler32, rawBytes } = await deflater.finish(counted);
    await counted(closeBlock(adler32));
    result.rows++;
    result.rawBytes += rawBytes;
  };

  if (piece.first) await counted(openLargeObjects(piece.dumpId));
  const reader = new BinaryRows({
    row: async (oid) => {
      if (oid === current) return;
      await endCurrent();
      current = oid;
      await counted(openLargeObject(oid));
    },
    bytes: (bytes) => deflater.push(bytes, counted),
  });
  await session.copy(copyStatement(piece), (block) => reader.push(block), signal);
  await endCurrent();
  if (piece.last) await counted(closeLargeObjects());
  return result;
}

/** Rows of OID and bytes, the bytes of an object in order; an empty object gives one row. */
function copyStatement({ filter, from, to }: Piece): string {
  const bounds = [
    "m.bytes is not null",
    ...(filter === "" ? [] : [filter]),
    ...(from === null ? [] : [`m.oid >= ${from}`]),
    ...(to === null ? [] : [`m.oid < ${to}`]),
  ];
  return `copy (
    select c.oid, pg_catalog.lo_get(c.oid, c.place, ${READ_BYTES}) from (
      select m.oid, s.place
      from ${LARGE_OBJECTS_SQL}
      cross join lateral pg_catalog.generate_series(0, greatest(m.bytes - 1, 0), ${READ_BYTES}) as s (place)
      where ${bounds.join(" and ")}
      order by m.oid, s.place
      offset 0
    ) as c) to stdout (format binary)`;
}

/**
 * Parses binary rows from blocks of any size. The end mark is shorter than a row's head, so it is never taken for one.
 */
class BinaryRows {
  readonly #take: { row(oid: number): Promise<void>; bytes(bytes: Uint8Array): Promise<void> };
  readonly #head = new Uint8Array(HEADER_BYTES);
  #filled = 0;
  #wanted = HEADER_BYTES;
  /** Bytes of the row that have not come yet. */
  #remaining = 0;

  constructor(take: { row(oid: number): Promise<void>; bytes(bytes: Uint8Array): Promise<void> }) {
    this.#take = take;
  }

  async push(block: Uint8Array): Promise<void> {
    for (let at = 0; at < block.length;) {
      if (this.#remaining > 0) {
        const bytes = block.subarray(at, at + this.#remaining);
        at += bytes.length;
        this.#remaining -= bytes.length;
        await this.#take.bytes(bytes);
        continue;
      }
      const piece = block.subarray(at, at + this.#wanted - this.#filled);
      this.#head.set(piece, this.#filled);
      this.#filled += piece.length;
      at += piece.length;
      if (this.#filled === this.#wanted) await this.#headComplete();
    }
  }

  async #headComplete(): Promise<void> {
    this.#filled = 0;
    const view = new DataView(this.#head.buffer);
    if (this.#wanted === ROW_BYTES) {
      this.#remaining = view.getInt32(10);
      await this.#take.row(view.getUint32(6));
    }
    this.#wanted = ROW_BYTES;
  }
}
