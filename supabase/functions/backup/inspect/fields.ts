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
  const isPrefix = indexes.every((column, index) => column === index);
  return (line) => {
    const ends: number[] = [];
    const needed = Math.max(-1, ...indexes) + 1;
    for (let begin = 0; ends.length < needed; begin = ends.at(-1)! + 1) {
      const end = line.indexOf(TAB, begin);
      ends.push(end < 0 ? line.length : end);
    }
    const field = (column: number) => line.subarray(column === 0 ? 0 : ends[column - 1]! + 1, ends[column]);
    if (isPrefix) return line.subarray(0, ends.at(-1) ?? 0);
    const fields = indexes.map(field);
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

/** Returns whether two runs of bytes are equal. */
export function sameBytes(one: Uint8Array, two: Uint8Array): boolean {
  return one.length === two.length && one.every((byte, index) => byte === two[index]);
}
