/** Rows of which the server refuses some: the others go in, and those are put aside. */
import { joinPieces } from "../archive/pieces.ts";
import type { OpenArchive } from "../archive/reader.ts";
import type { Entry } from "../entry.ts";
import type { Connection } from "./connection.ts";
import { type CopyOptions, copyStatement } from "./copy_rows.ts";
import { isFatal, type ServerError } from "./server_error.ts";

/** Rows in one statement: all before a bad one are sent twice. */
const CHUNK_BYTES = 1024 * 1024;

/** When so many rows are bad, none of them is the exception. */
const MOST_ASIDE = 10_000;

const NEWLINE = 10;
const END_MARK = "\\.";

export interface Sorted {
  rows: number;
  aside: Uint8Array[];
  /** About the first row that was put aside. */
  error: ServerError | null;
}

/** Returns whether a row belongs to another partition, or to none. */
export function isOutsidePartition({ code, constraint_name }: ServerError): boolean {
  return code === "23514" && !constraint_name;
}

/** Returns whether the error is about one row, or a value of it, and not about the table. */
export function isBadRow(error: ServerError): boolean {
  const { code, where = "" } = error;
  const ofValue = Boolean(error["data type_name"]) || /^COPY [^\n]*, line \d+, column /.test(where);
  return code.startsWith("22") || code === "23502" || isOutsidePartition(error) || ofValue;
}

/** Returns whether trying the same rows again is of no use: a function may miss the rows of another table. */
export function isLastingly(error: ServerError): boolean {
  return isBadRow(error) && /^COPY [^\n]*, line \d+/.test(error.where ?? "");
}

/** Copies what the server takes. Returns null where it refuses too much, or for another reason. Throws ArchiveError. */
export async function copyWithoutBadRows(
  connection: Connection,
  archive: OpenArchive,
  entry: Entry,
  options: CopyOptions,
): Promise<Sorted | null> {
  const sorted: Sorted = { rows: 0, aside: [], error: null };
  const statement = copyStatement(entry, options);
  for await (const lines of chunksOf(archive.rows(entry.dumpId))) {
    const open = [lines];
    for (let some = open.pop(); some !== undefined; some = open.pop()) {
      const attempt = await connection.attemptCopy(statement, joined(some));
      if ("result" in attempt) {
        sorted.rows += attempt.result;
        continue;
      }
      const { error } = attempt;
      if (isFatal(error) || !isBadRow(error) || sorted.aside.length === MOST_ASIDE) return null;
      if (some.length === 1) {
        sorted.error ??= error;
        sorted.aside.push(some[0]!);
        continue;
      }
      const cut = cutAt(error, some.length);
      open.push(...cut.map((from, index) => some!.slice(from, cut[index + 1])).toReversed());
    }
  }
  return sorted;
}

/** Returns where to cut lines: around the one that the server names in English, else in the middle. */
function cutAt({ where }: ServerError, lines: number): number[] {
  const [, number] = /^COPY [^\n]*?, line (\d+)(?:, column |:|$)/m.exec(where ?? "") ?? [];
  const bad = Number(number) - 1;
  if (number === undefined || bad >= lines) return [0, lines >> 1];
  return [0, bad, bad + 1].filter((from, index, all) => from < lines && from !== all[index - 1]);
}

async function* joined(lines: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(joinPieces(lines));
}

/** Cuts COPY text into lists of lines, each with its newline, up to the end mark. */
async function* chunksOf(text: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array[]> {
  let lines: Uint8Array[] = [];
  let bytes = 0;
  let begun: Uint8Array[] = [];
  for await (const piece of text) {
    let from = 0;
    for (let at = piece.indexOf(NEWLINE); at >= 0; at = piece.indexOf(NEWLINE, from)) {
      const here = piece.subarray(from, at + 1);
      const line = begun.length === 0 ? here : joinPieces([...begun, here]);
      begun = [];
      from = at + 1;
      if (isEndMark(line)) {
        if (lines.length > 0) yield lines;
        return;
      }
      lines.push(line);
      bytes += line.length;
      if (bytes < CHUNK_BYTES) continue;
      yield lines;
      lines = [];
      bytes = 0;
    }
    // The piece is gone when the next one comes.
    if (from < piece.length) begun.push(piece.slice(from));
  }
  if (lines.length > 0) yield lines;
}

function isEndMark(line: Uint8Array): boolean {
  return line.length === END_MARK.length + 1 && line[0] === 92 && line[1] === 46;
}
