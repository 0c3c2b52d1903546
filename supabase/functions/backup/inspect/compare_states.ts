/**
 * What changed between two states of a database: definitions, and the rows of each table as far as they can be
 * compared.
 */
import { compareDefinitions, type DefinitionDifference } from "./compare_definitions.ts";
import { compareRows } from "./compare_rows.ts";
import { TooManyRowsError } from "./row_join.ts";
import type { RowChange } from "./row_samples.ts";
import type { State, TableState } from "./state.ts";

export interface Difference {
  definitions: DefinitionDifference[];
  /** Every table of either state, in the order of the second, then those that it lacks. */
  tables: TableDifference[];
}

export interface TableDifference {
  schema: string;
  name: string;
  /** `unknown`: the rows were not compared, for the reason in `detail`. */
  state: "same" | "changed" | "added" | "removed" | "unknown";
  /**
   * How that was found: by the checksums of the whole text, by keys, by whole rows, or by the numbers of rows alone.
   */
  by: "checksum" | "key" | "row" | "count";
  /** Rows; null where the table is missing or was not counted. */
  before: number | null;
  after: number | null;
  /** Null where rows were not compared. */
  added: number | null;
  removed: number | null;
  changed: number | null;
  key: string[] | null;
  columns: { before: string[]; after: string[] };
  samples: RowChange[];
  /** Why rows were not compared; empty where they were. */
  detail: string;
}

export interface CompareOptions {
  /** Compares only these, `schema.name`, and no definitions; null for all. */
  tables: readonly string[] | null;
  /** Tables whose COPY text is longer on either side are not compared row by row. */
  upTo: number;
  /** Rows that are shown of each table and kind of change. */
  samples: number;
  /** Called before each table that is read. */
  onTable?: (name: string, done: number, total: number) => void;
}

/** Compares two states. Throws what reading them throws. */
export async function compareStates(
  before: State,
  after: State,
  { tables: wanted, upTo, samples, onTable = () => {} }: CompareOptions,
): Promise<Difference> {
  const nameOf = ({ schema, name }: TableState) => `${schema}.${name}`;
  const chosen = (table: TableState) => wanted === null || wanted.includes(nameOf(table));
  const old = new Map(before.tables.filter(chosen).map((table) => [nameOf(table), table]));
  const pairs = after.tables.filter(chosen).map((table) => [old.get(nameOf(table)) ?? null, table] as const);
  const kept = new Set(pairs.map(([, table]) => nameOf(table)));
  const all = [
    ...pairs,
    ...[...old].filter(([name]) => !kept.has(name)).map(([, table]) => [table, null] as const),
  ];
  const tables: TableDifference[] = [];
  for (const [index, [one, two]] of all.entries()) {
    onTable(nameOf((two ?? one)!), index, all.length);
    tables.push(await compareTable(one, two, upTo, samples));
  }
  const definitions = wanted === null ? compareDefinitions(before.entries, after.entries) : [];
  return { definitions, tables };
}

async function compareTable(
  before: TableState | null,
  after: TableState | null,
  upTo: number,
  samples: number,
): Promise<TableDifference> {
  const { schema, name } = (after ?? before)!;
  const found: TableDifference = {
    schema,
    name,
    state: "same",
    by: "count",
    before: before?.rows ?? null,
    after: after?.rows ?? null,
    added: null,
    removed: null,
    changed: null,
    key: null,
    samples: [],
    detail: "",
    columns: { before: before?.columns ?? [], after: after?.columns ?? [] },
  };
  if (before === null || after === null) return { ...found, state: after === null ? "removed" : "added" };
  if (isSameText(before, after)) return { ...found, by: "checksum", added: 0, removed: 0, changed: 0 };
  if (Math.max(before.bytes, after.bytes) > upTo) return uncompared(found, "larger than the limit");
  try {
    const { before: rowsBefore, after: rowsAfter, ...rows } = await compareRows(before, after, samples);
    const isSame = rows.added + rows.removed + rows.changed === 0;
    return {
      ...found,
      ...rows,
      before: rowsBefore,
      after: rowsAfter,
      by: rows.key === null ? "row" : "key",
      state: isSame ? "same" : "changed",
    };
  } catch (error) {
    if (!(error instanceof TooManyRowsError)) throw error;
    return uncompared(found, error.message);
  }
}

function uncompared(found: TableDifference, detail: string): TableDifference {
  const { before, after } = found;
  const differ = before !== null && after !== null && before !== after;
  return { ...found, state: differ ? "changed" : "unknown", detail };
}

function isSameText(before: TableState, after: TableState): boolean {
  return before.adler32 !== null && before.adler32 === after.adler32 && before.rows === after.rows &&
    before.bytes === after.bytes && before.columns.join("\0") === after.columns.join("\0");
}
