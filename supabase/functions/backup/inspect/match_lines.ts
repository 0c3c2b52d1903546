/** How rows of two tables are compared while they lie in memory as COPY text. */
import { picker, sameBytes } from "./fields.ts";
import type { LineCursor } from "./line_cursor.ts";

const NEWLINE = 10;
const TAB = 9;

/** `other`: they are not versions of one row. */
export type Match = "equal" | "changed" | "other";

/** Returns the bytes of a line that stand for it. */
export type Pick = (line: Uint8Array) => Uint8Array;

export interface LineMatcher {
  match(before: LineCursor, after: LineCursor): Match;
  /** Whether rows can be changed, and are not only there or missing. */
  isKeyed: boolean;
  /** What rows are matched by, and what is compared of them: of lines before and of lines after. */
  id: [Pick, Pick];
  row: [Pick, Pick];
}

/** Matches rows by `key`, or as a whole where it is null. Columns that only one side has are not compared. */
export function lineMatcher(
  before: readonly string[],
  after: readonly string[],
  key: readonly string[] | null,
): LineMatcher {
  const whole: Pick = (line) => line;
  const places = (columns: readonly string[], names: readonly string[]) =>
    names.map((name) => columns.indexOf(name));
  const picks = (names: readonly string[]): [Pick, Pick] => [
    picker(places(before, names)),
    picker(places(after, names)),
  ];
  const isSame = before.length === after.length && before.every((column, index) => column === after[index]);
  const row: [Pick, Pick] = isSame
    ? [whole, whole]
    : picks(before.filter((column) => after.includes(column)));
  const id = key === null ? row : picks(key);
  return { id, row, isKeyed: key !== null, match: matchOf() };

  function matchOf(): LineMatcher["match"] {
    if (!isSame) return (one, two) => matchPicked(one, two, id, row);
    if (key === null) return (one, two) => matchLines(one, two, Infinity);
    if (places(before, key).every((place, index) => place === index)) {
      return (one, two) => matchLines(one, two, key.length);
    }
    return (one, two) => {
      if (matchLines(one, two, Infinity) === "equal") return "equal";
      return sameBytes(id[0](one.line()), id[1](two.line())) ? "changed" : "other";
    };
  }
}

/** Compares whole lines whose first `fields` fields are the key. */
function matchLines(one: LineCursor, two: LineCursor, fields: number): Match {
  const first = one.bytes;
  const second = two.bytes;
  const apart = two.begin - one.begin;
  let at = one.begin;
  let left = fields;
  let byte = first[at]!;
  // Both end with a newline, so that neither is left.
  while (left > 0 && byte === second[at + apart] && byte !== NEWLINE) {
    if (byte === TAB) left--;
    byte = first[++at]!;
  }
  const isSameRow = left === 0;
  while (isSameRow && byte === second[at + apart] && byte !== NEWLINE) byte = first[++at]!;
  one.searched = at;
  two.searched = at + apart;
  if (byte === NEWLINE && second[at + apart] === NEWLINE) return "equal";
  return isSameRow ? "changed" : "other";
}

function matchPicked(one: LineCursor, two: LineCursor, id: [Pick, Pick], row: [Pick, Pick]): Match {
  const [first, second] = [one.line(), two.line()];
  if (!sameBytes(id[0](first), id[1](second))) return "other";
  return id === row || sameBytes(row[0](first), row[1](second)) ? "equal" : "changed";
}
