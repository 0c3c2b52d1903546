/** The rows that a comparison shows, in words. */
import type { TableDifference } from "../../supabase/functions/backup/inspect/compare_states.ts";
import { counted } from "../terminal/format.ts";
import { colors } from "../terminal/style.ts";

/** Returns a line for each row that is shown: what it holds, or which of its values changed. */
export function changesInWords(table: TableDifference): string[] {
  const { schema, name, samples, columns, added, removed, changed } = table;
  if (samples.length === 0) return [];
  const lines = samples.map(({ before, after }) => {
    if (before === null) return `  ${colors.green("+")} ${valuesInWords(columns.after, after!)}`;
    if (after === null) return `  ${colors.red("-")} ${valuesInWords(columns.before, before)}`;
    const key = (table.key ?? []).map((column) =>
      `${column}: ${after[columns.after.indexOf(column)] ?? "null"}`
    );
    const changes = columns.after.flatMap((column, index) => {
      const old = columns.before.indexOf(column);
      if (old < 0 || before[old] === after[index]) return [];
      return [`${column}: ${shown(before[old]!)} → ${shown(after[index]!)}`];
    });
    return `  ${colors.yellow("~")} ${[...key, ...changes].join(", ")}`;
  });
  const left = (added ?? 0) + (removed ?? 0) + (changed ?? 0) - samples.length;
  const more = left > 0 ? [colors.dim(`  and ${counted(left, "more row")}`)] : [];
  return [colors.bold(`${schema}.${name}`), ...lines, ...more];
}

function valuesInWords(columns: readonly string[], values: readonly (string | null)[]): string {
  return columns.map((column, index) => `${column}: ${shown(values[index]!)}`).join(", ");
}

/** Longer values are cut: a line is for reading, --json has all of it. */
const LONGEST = 60;

function shown(value: string | null): string {
  if (value === null) return "null";
  return value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value;
}
