/** Rows from a place of an archive to the database, as many as the invocation has time for. */
import { adler32 } from "../archive/adler.ts";
import { COPY_END } from "../archive/block.ts";
import type { ByteSource } from "../archive/byte_source.ts";
import { rowBatches } from "../archive/row_batches.ts";
import type { Work } from "./work.ts";
import type { RowsDone } from "./inside_client.ts";

/** Rows of one transaction: what a death costs. */
const SLICE_BYTES = 32_000_000;

export interface Slice {
  /** No row is left. */
  ended: boolean;
  /** Rows that were sent: all of them, or those that the filter let pass. */
  sent: number;
  /** COPY text that was read. */
  bytes: number;
}

/**
 * Copies rows and moves `done` behind them. `filter` returns what of the text is sent. Throws ArchiveError, or the
 * server's error.
 */
export async function copySlice(
  { session, share }: Pick<Work, "session" | "share">,
  source: ByteSource,
  done: RowsDone,
  statement: string,
  filter: (text: Uint8Array) => Uint8Array = (text) => text,
): Promise<Slice> {
  const slice: Slice = { ended: false, sent: 0, bytes: 0 };
  async function* text(): AsyncGenerator<Uint8Array> {
    for await (const batch of rowBatches(source, done.place, share.time)) {
      slice.bytes += batch.text.length;
      done.rows += batch.rows;
      const wanted = share.time(() => {
        done.adler32 = adler32(batch.text, done.adler32);
        return filter(batch.text);
      });
      share.spendText(batch.text.length);
      if (wanted.length > 0) yield wanted;
      if (batch.next === null) {
        done.adler32 = adler32(COPY_END, done.adler32);
        slice.ended = true;
        return;
      }
      done.place = batch.next;
      if (share.isSpent || slice.bytes >= SLICE_BYTES) return;
    }
  }
  slice.sent = await session.copyIn(statement, text());
  return slice;
}
