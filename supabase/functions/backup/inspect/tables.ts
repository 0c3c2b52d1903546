/** The tables of an archive that have rows in it, with their columns and keys. */
import { type Entry, EXTENSION_DATA } from "../entry.ts";
import { columnsOf, IDENTIFIER } from "../restore/sql_names.ts";

const HAVE_ROWS = new Set(["TABLE DATA", EXTENSION_DATA]);

export interface StoredTable {
  schema: string;
  name: string;
  /** Of the entry that has the rows. */
  dumpId: number;
  columns: string[];
  /** The columns of the primary key, or of the first unique key without nulls; null where there is neither. */
  key: string[] | null;
}

const LIST = `\\((${IDENTIFIER}(?:, ${IDENTIFIER})*)\\)`;
const PRIMARY_KEY = new RegExp(`\\sADD CONSTRAINT ${IDENTIFIER} PRIMARY KEY ${LIST}`);
/** Of plain columns and of all rows. */
const UNIQUE = new RegExp(
  `\\sADD CONSTRAINT ${IDENTIFIER} UNIQUE ${LIST}|^CREATE UNIQUE INDEX ${IDENTIFIER} ON .* USING btree ${LIST};?\\s*$`,
);
const NOT_NULL = new RegExp(`^ {4}(${IDENTIFIER}) .* NOT NULL`, "gm");
const LITERAL = /'(?:[^']|'')*'/g;

/** Returns the tables in archive order. */
export function tablesOf(entries: readonly Entry[]): StoredTable[] {
  const tables = new Map<number, Entry>();
  const keys = new Map<number, string[]>();
  const unique = new Map<number, string[]>();
  for (const entry of entries) {
    if (entry.desc === "TABLE") tables.set(entry.dumpId, entry);
    if (entry.desc !== "CONSTRAINT" && entry.desc !== "INDEX") continue;
    const definition = entry.definition ?? "";
    const [, primary] = PRIMARY_KEY.exec(definition) ?? [];
    const [, constraint, index] = UNIQUE.exec(definition) ?? [];
    const list = primary ?? constraint ?? index;
    const table = entry.dependencies.map((id) => tables.get(id)).find((table) =>
      table !== undefined && (entry.desc === "INDEX" || entry.tag.startsWith(`${table.tag} `))
    );
    if (list === undefined || table === undefined) continue;
    const columns = columnsOf(`COPY t (${list}) FROM stdin;`);
    if (primary !== undefined) keys.set(table.dumpId, columns);
    else if (!unique.has(table.dumpId) && areNeverNull(columns, table)) unique.set(table.dumpId, columns);
  }
  return entries.filter(({ desc, copy }) => HAVE_ROWS.has(desc) && copy !== null).map((entry) => {
    const columns = columnsOf(entry.copy!);
    const table = entry.dependencies.find((id) => tables.get(id)?.tag === entry.tag);
    const key = table === undefined ? undefined : keys.get(table) ?? unique.get(table);
    return {
      schema: entry.namespace ?? "",
      name: entry.tag,
      dumpId: entry.dumpId,
      columns,
      key: key?.every((column) => columns.includes(column)) ? key : null,
    };
  });
}

function areNeverNull(columns: readonly string[], { definition }: Entry): boolean {
  const names = [...(definition ?? "").replaceAll(LITERAL, "").matchAll(NOT_NULL)].map(([, name]) => name);
  const wanted = columnsOf(`COPY t (${names.join(", ")}) FROM stdin;`);
  return columns.every((column) => wanted.includes(column));
}
