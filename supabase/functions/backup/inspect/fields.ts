/** Fields of rows of COPY text: those of a key as bytes, and all of them as values. */
import { unescaped } from "../restore_plan/copy_text.ts";

const TAB = 9;

const decoder = new TextDecoder();
const encoder = new TextEncoder();

const ESCAPED: Record<string, string> = {
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

/** Returns the values of a row of so many columns; null is null. */
export function valuesOfLine(line: Uint8Array, columns: number): (string | null)[] {
  // An empty line is one empty text, or the row of a table without columns.
  return columns === 0 ? [] : decoder.decode(line).split("\t").map(unescaped);
}

/** Returns values as the fields that COPY writes for them, as `picker` picks them. */
export function bytesOfValues(values: readonly string[]): Uint8Array {
  return encoder.encode(
    values.map((value) => value.replace(/[\\\b\f\n\r\t\v]/g, (one) => ESCAPED[one]!)).join("\t"),
  );
}

/**
 * Returns a function that picks fields, in the order of `indexes`, out of a line. Its result is valid as long as the
 * line.
 */
export function picker(indexes: readonly number[]): (line: Uint8Array) => Uint8Array {
  const [first = 0] = indexes;
  // Neighbours need no copy.
  if (indexes.every((column, index) => column === first + index)) {
    return (line) => {
      const begin = beginOf(line, first, 0);
      return line.subarray(begin, indexes.length === 0 ? begin : beginOf(line, indexes.length, begin) - 1);
    };
  }
  return (line) => {
    const fields = indexes.map((column) => {
      const begin = beginOf(line, column, 0);
      return line.subarray(begin, beginOf(line, 1, begin) - 1);
    });
    const picked = new Uint8Array(fields.reduce((sum, { length }) => sum + length + 1, -1));
    let position = 0;
    for (const bytes of fields) {
      picked.set(bytes, position);
      position += bytes.length + 1;
      if (position <= picked.length) picked[position - 1] = TAB;
    }
    return picked;
  };
}

/** Returns where the field begins that is `fields` behind the one at `from`; behind the last one, the end and 1. */
function beginOf(line: Uint8Array, fields: number, from: number): number {
  let at = from;
  for (let left = fields; left > 0; at++) if (at >= line.length || line[at] === TAB) left--;
  return at;
}

/** Returns whether two runs of bytes are equal. */
export function sameBytes(one: Uint8Array, two: Uint8Array): boolean {
  if (one.length !== two.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== two[at]) return false;
  return true;
}
