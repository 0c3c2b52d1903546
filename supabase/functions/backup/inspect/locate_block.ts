/** Finds the data block of a table in the parts of a backup without reading the parts before it. */
import { BLOCK_BLOBS, BLOCK_DATA } from "../archive/block.ts";
import { SourceReader } from "../archive/byte_source.ts";
import { findBlocks } from "../archive/data_blocks.ts";
import type { Locate } from "../archive/reader.ts";
import { PARTS_PER_SLICE } from "../slices/plan.ts";
import type { PartSource } from "./part_source.ts";

/** Beginnings of slices that are looked at together. */
const PARALLEL = 8;

interface SliceStart {
  begin: number;
  /** The entry whose block begins there; null within the rows of a table. */
  dumpId: number | null;
}

/**
 * Returns what finds blocks. Every slice begins with a part of its own, either with a data block or within the rows of
 * a table that was cut: so the beginnings of the slices say in which of them a block lies, and only that one is
 * searched.
 */
export function blockLocator(source: PartSource): Locate {
  let starts: Promise<SliceStart[]> | undefined;
  return async (dumpId, { entries, dataBegin }) => {
    const order = new Map(
      entries.filter(({ hasData }) => hasData).map((entry, index) => [entry.dumpId, index]),
    );
    starts ??= sliceStarts(source, dataBegin, order);
    // What failed is tried again.
    starts.catch(() => starts = undefined);
    const wanted = order.get(dumpId);
    if (wanted === undefined) return undefined;
    const slice = (await starts).findLast((start) =>
      start.dumpId !== null && order.get(start.dumpId)! <= wanted
    );
    if (slice === undefined) return undefined;
    // A table that is cut begins a slice; findBlocks() would read it to its end.
    if (slice.dumpId === dumpId) return slice.begin;
    return (await findBlocks(source, slice.begin, new Set([dumpId]))).get(dumpId)?.begin;
  };
}

async function sliceStarts(
  source: PartSource,
  dataBegin: number,
  order: ReadonlyMap<number, number>,
): Promise<SliceStart[]> {
  const first = source.begins.find(({ begin }) => begin === dataBegin)?.number;
  if (first === undefined) return [];
  const slices = source.begins.filter(({ number }) =>
    number >= first && (number - first) % PARTS_PER_SLICE === 0
  );
  const starts: SliceStart[] = [];
  for (let begin = 0; begin < slices.length; begin += PARALLEL) {
    const some = slices.slice(begin, begin + PARALLEL).map(async ({ begin }) => {
      const reader = new SourceReader(source, begin);
      const type = await reader.byteOrEnd();
      // Within a table a chunk begins with its length, whose first byte is zero, and an OID above 2^31 with one.
      if (type !== BLOCK_DATA && type !== BLOCK_BLOBS) return { begin, dumpId: null };
      const dumpId = await reader.int();
      return { begin, dumpId: order.has(dumpId) ? dumpId : null };
    });
    starts.push(...await Promise.all(some));
  }
  return starts;
}
