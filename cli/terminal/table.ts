/** Tables that fit the terminal: cells wrap, and where that is not enough each row becomes a list. */
import { colors, isStyled, plain, widthOf } from "./style.ts";
import { resultWidth } from "./output.ts";

export type Align = "left" | "right";

const SEPARATOR = " │ ";

/** Longer words are broken where they must be: shorter ones, as names of backups, are there to be copied. */
const LONGEST_WORD = 40;

/** Values of a list are not made narrower than this. */
const NARROWEST = 18;

/**
 * Returns the lines of a table with a bold head; columns are aligned as `aligns` says, left where it says nothing.
 * Where the terminal is too narrow, the columns of `expendable` go first, in that order.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  aligns: readonly Align[] = [],
  width = resultWidth(),
  expendable: readonly string[] = [],
): string[] {
  const cells = rows.map((row) => row.map((cell) => isStyled(cell) ? cell : plain(cell)));
  const natural = head.map((title, column) =>
    Math.max(widthOf(title), ...cells.map((row) => widthOf(row[column] ?? "")))
  );
  const needed = natural.reduce((sum, column) => sum + column, SEPARATOR.length * (head.length - 1));
  const [first, ...others] = expendable;
  if (first !== undefined && needed > width) {
    const dropped = head.indexOf(first);
    const without = <T>(list: readonly T[]) => list.filter((_, column) => column !== dropped);
    const all = head.map((_, column) => aligns[column] ?? "left");
    return table(without(head), rows.map(without), without(all), width, others);
  }
  const least = head.map((title, column) =>
    Math.max(...[title, ...cells.map((row) => row[column] ?? "")].map(longestWord))
  );
  const widths = fitted(natural, least, width - SEPARATOR.length * (head.length - 1));
  if (widths === null) return asLists(head, cells, width);
  const line = (row: readonly string[]) => {
    const wrapped = head.map((_, column) => wrap(row[column] ?? "", widths[column]!));
    return Array.from(
      { length: Math.max(...wrapped.map(({ length }) => length)) },
      (_, index) =>
        wrapped.map((lines, column) => aligned(lines[index] ?? "", widths[column]!, aligns[column] ?? "left"))
          .join(SEPARATOR).trimEnd(),
    );
  };
  return [
    ...line(head.map((title) => title === "" ? "" : colors.bold(title))),
    widths.map((columns) => "─".repeat(columns)).join("─┼─"),
    ...cells.flatMap(line),
  ];
}

/** Takes from the widest columns until all fit; null where that would break words. */
function fitted(natural: readonly number[], least: readonly number[], room: number): number[] | null {
  const widths = [...natural];
  for (let over = widths.reduce((sum, width) => sum + width, 0) - room; over > 0; over--) {
    const wide = widths.map((width, column) => width > least[column]! ? width : 0);
    const widest = wide.indexOf(Math.max(...wide));
    if (wide[widest] === 0) return null;
    widths[widest]!--;
  }
  return widths;
}

function longestWord(text: string): number {
  if (isStyled(text)) return widthOf(text);
  return Math.min(Math.max(...text.split(" ").map(widthOf)), LONGEST_WORD);
}

function asLists(head: readonly string[], rows: readonly (readonly string[])[], width: number): string[] {
  const margin = Math.max(...head.map(widthOf));
  return rows.flatMap((row) => [
    ...head.flatMap((title, column) => {
      const cell = row[column] ?? "";
      if (cell === "") return [];
      return wrap(cell, Math.max(width - margin - 2, NARROWEST)).map((line, number) =>
        `${colors.bold(aligned(number === 0 ? title : "", margin, "left"))}  ${line}`
      );
    }),
    "",
  ]);
}

function aligned(text: string, width: number, align: Align): string {
  const space = " ".repeat(Math.max(width - widthOf(text), 0));
  return align === "left" ? text + space : space + text;
}

/** Breaks text at spaces into lines of at most `width` columns, and a longer word anywhere. Styled text stays whole. */
function wrap(text: string, width: number): string[] {
  if (isStyled(text) || widthOf(text) <= width) return [text];
  const lines: string[] = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1)!;
    if (last === "" || widthOf(last) + 1 + widthOf(word) <= width) {
      lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
    } else lines.push(word);
    while (widthOf(lines.at(-1)!) > width) {
      let end = 0;
      const letters = [...lines.pop()!];
      for (let taken = 0; end < letters.length && taken + widthOf(letters[end]!) <= width; end++) {
        taken += widthOf(letters[end]!);
      }
      end = Math.max(end, 1);
      lines.push(letters.slice(0, end).join(""), letters.slice(end).join(""));
    }
  }
  return lines;
}
