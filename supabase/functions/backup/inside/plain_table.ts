/**
 * A table of an archive as a copy that runs nobody's code: columns of the server's own types, and its primary key. No
 * default, check, generated column, trigger or type of a user comes along; what needs one lands as text, exactly as
 * COPY wrote it.
 */
import type { Entry } from "../entry.ts";
import { BackupError } from "../errors.ts";
import { IDENTIFIER } from "../restore/sql_names.ts";
import { columnsOf } from "../restore/sql_names.ts";
import { RELATIONS } from "../restore_plan/select_entries.ts";
import { quoted } from "../restore_plan/sql_text.ts";

export interface PlainColumn {
  name: string;
  /** Of the copy. */
  type: string;
  /** Of the archive, where the copy has text instead. */
  wasType: string | null;
}

export interface PlainTable {
  schema: string;
  name: string;
  columns: PlainColumn[];
  /** Columns of the primary key; none without one. */
  key: string[];
  /** Entries that hold its rows: of a partitioned table those of all its partitions. */
  data: Entry[];
}

/** As the server prints its own types where nothing but its catalog is in the search_path. */
const OWN_TYPE = new RegExp(
  "^(?:smallint|integer|bigint|real|double precision|numeric(?:\\(\\d+,-?\\d+\\))?|money|boolean|text|name|oid|uuid|bytea" +
    '|jsonb?|jsonpath|xml|inet|cidr|macaddr8?|point|line|lseg|box|path|polygon|circle|tsvector|tsquery|pg_lsn|"char"|date' +
    "|character(?: varying)?(?:\\(\\d+\\))?|bit(?: varying)?(?:\\(\\d+\\))?|interval(?: [a-z ]+)?(?:\\(\\d\\))?" +
    "|time(?:stamp)?(?:\\(\\d\\))? with(?:out)? time zone|(?:int4|int8|num|ts|tstz|date)(?:multi)?range)(?:\\[\\])*$",
);

/** `    name type …`, a line of CREATE TABLE; the type ends where a clause begins. */
const COLUMN = new RegExp(
  `^ {4}(${IDENTIFIER}) (.+?)(?: DEFAULT .*| NOT NULL.*| COLLATE .*| GENERATED .*| CONSTRAINT .*)?,?$`,
  "gm",
);

const PRIMARY_KEY = new RegExp(` PRIMARY KEY \\((${IDENTIFIER}(?:, ${IDENTIFIER})*)\\)`);

/** Throws BackupError `bad_request` for a relation that is not there or has no rows of its own. */
export function plainTable(entries: readonly Entry[], schema: string, name: string): PlainTable {
  const relation = entries.find(({ desc, namespace, tag }) =>
    RELATIONS.has(desc) && namespace === schema && tag === name
  );
  if (relation === undefined || relation.desc !== "TABLE") {
    throw new BackupError(
      "bad_request",
      relation === undefined
        ? `The backup has no table "${schema}.${name}"`
        : `${schema}.${name} is a ${relation.desc.toLowerCase()}, which has no rows of its own`,
      "Names are schema.table, not quoted. See them with: select * from backup.contents",
    );
  }
  const leaves = leavesOf(entries, relation.dumpId);
  const data = entries.filter(({ desc, dependencies }) =>
    desc === "TABLE DATA" && leaves.has(dependencies[0]!)
  );
  if (data.length === 0) {
    throw new BackupError(
      "bad_request",
      `The backup has no rows of ${schema}.${name}`,
      "It is a foreign table's, an extension's, or has been left out. See the warnings of the run in backup.log.",
    );
  }
  const types = new Map(
    [...(relation.definition ?? "").matchAll(COLUMN)].map(([, column, type]) => [unquoted(column!), type!]),
  );
  const columns = columnsOf(data[0]!.copy!).map((column) => {
    const type = types.get(column) ?? "";
    return OWN_TYPE.test(type)
      ? { name: column, type, wasType: null }
      : { name: column, type: "text", wasType: type || null };
  });
  const names = new Set(columns.map((column) => column.name));
  const key = keyOf(entries, relation).filter((column) => names.has(column));
  return { schema, name, columns, key, data };
}

/** Returns the statement that creates the copy. */
export function createCopy({ name, columns }: PlainTable, into: string): string {
  return `create table ${quoted(into)}.${quoted(name)} (${
    columns.map((column) => `${quoted(column.name)} ${column.type}`).join(", ")
  })`;
}

/** Returns the statement that makes the key of the copy, or "". */
export function createKey({ name, key }: PlainTable, into: string): string {
  if (key.length === 0) return "";
  return `alter table ${quoted(into)}.${quoted(name)} add primary key (${key.map(quoted).join(", ")})`;
}

/** Returns the entry's COPY into the copy. */
export function copyInto({ name }: PlainTable, into: string, entry: Entry): string {
  const columns = columnsOf(entry.copy!).map(quoted).join(", ");
  return `copy ${quoted(into)}.${quoted(name)} ${columns === "" ? "" : `(${columns}) `}from stdin`;
}

function keyOf(entries: readonly Entry[], { dumpId }: Entry): string[] {
  for (const { desc, dependencies, definition } of entries) {
    if (desc !== "CONSTRAINT" || !dependencies.includes(dumpId)) continue;
    const [, columns] = PRIMARY_KEY.exec(definition ?? "") ?? [];
    if (columns !== undefined) {
      return [...columns.matchAll(new RegExp(IDENTIFIER, "g"))].map(([one]) => unquoted(one));
    }
  }
  return [];
}

/** Returns the table, or in place of a partitioned one its partitions. */
function leavesOf(entries: readonly Entry[], table: number): Set<number> {
  const partitions = entries.filter(({ desc, dependencies }) =>
    desc === "TABLE ATTACH" && dependencies[1] === table
  )
    .map(({ dependencies }) => dependencies[0]!);
  if (partitions.length === 0) return new Set([table]);
  return new Set(partitions.flatMap((partition) => [...leavesOf(entries, partition)]));
}

function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}
