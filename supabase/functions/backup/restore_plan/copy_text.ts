/** COPY's text format: rows as lines, and values of the columns of a row. */

/** What follows the last row of a block in an archive. */
const END_OF_DATA = "\\.";

const NEWLINE = 10;

/** Yields rows as values by column; null is null. */
export async function* valuesOf(
  columns: readonly string[],
  rows: AsyncIterable<Uint8Array>,
): AsyncGenerator<Record<string, string | null>> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const line of linesOf(rows)) {
    const fields = decoder.decode(line).split("\t");
    yield Object.fromEntries(columns.map((column, index) => [column, unescaped(fields[index]!)]));
  }
}

/**
 * Yields the lines without their newlines, up to the end mark. A line is valid until the next one is asked
 * for.
 */
export async function* linesOf(rows: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const lines of lineBatches(rows)) yield* lines;
}

/** The same, those of each piece together: where there are millions, waiting for each costs more than looking at it. */
export async function* lineBatches(rows: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array[]> {
  let rest: Uint8Array = new Uint8Array();
  for await (const bytes of rows) {
    const lines: Uint8Array[] = [];
    let begin = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, begin)) {
      const line = rest.length > 0 ? joined(rest, bytes.subarray(begin, end)) : bytes.subarray(begin, end);
      rest = new Uint8Array();
      begin = end + 1;
      if (isEnd(line)) return yield lines;
      lines.push(line);
    }
    rest = joined(rest, bytes.subarray(begin));
    yield lines;
  }
}

function isEnd(line: Uint8Array): boolean {
  return line.length === 2 && line[0] === END_OF_DATA.charCodeAt(0) && line[1] === END_OF_DATA.charCodeAt(1);
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

const ESCAPES: Record<string, string> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

/**
 * Returns the value of a field; null is null. PostgreSQL documentation, COPY, text format: COPY TO writes no octal or
 * hexadecimal escapes.
 */
export function unescaped(field: string): string | null {
  if (field === "\\N") return null;
  return field.replace(/\\(.)/gs, (_, letter: string) => ESCAPES[letter] ?? letter);
}
