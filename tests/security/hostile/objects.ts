/** A schema full of objects that an ordinary role can make, each of which tells as whom it runs. */
import { Random } from "./random.ts";
import { type HostileType, makeCasts, makeOperators, makeTypes } from "./types.ts";
import { TENANT, VISITOR, witnessFunctions } from "./witness.ts";

export interface HostileTable {
  /** With its schema. */
  name: string;
  /** Statements of another role that write it; the first fills it. */
  writes: string[];
}

export interface HostileSchema {
  name: string;
  /** Statements of its owner, in order. Those that PostgreSQL refuses count for nothing. */
  sql: string[];
  tables: HostileTable[];
  /** Statements of the owner once the tables are tracked. */
  later: string[];
}

/** Functions of the catalog by name and arguments, with a value to return. */
const SHADOWS: [name: string, args: string, returns: string, value: string][] = [
  ["textin", "cstring", "text", "'x'"],
  ["enum_out", "anyenum", "text", "'x'"],
  ["array_out", "anyarray", "text", "'x'"],
  ["to_jsonb", "anyelement", "jsonb", "'{}'"],
  ["row_to_json", "record", "json", "'{}'"],
  ["format", "text, variadic text[]", "text", "'select 1'"],
  ["concat", "variadic text[]", "text", "'x'"],
  ["now", "", "timestamptz", "'2026-01-01'"],
  ["clock_timestamp", "", "timestamptz", "'2026-01-01'"],
  ["current_setting", "text, bool", "text", "'x'"],
  ["set_config", "text, text, bool", "text", "'x'"],
  ["nextval", "regclass", "int8", "1"],
  ["txid_current", "", "int8", "1"],
  ["date_part", "text, timestamptz", "float8", "1"],
  ["pg_trigger_depth", "", "int4", "0"],
  ["array_position", "anyarray, anyelement", "int4", "1"],
  ["octet_length", "text", "int4", "1"],
  ["pg_get_expr", "pg_node_tree, oid", "text", "'x'"],
  ["format_type", "oid, int4", "text", "'x'"],
  ["quote_ident", "name", "text", "'x'"],
  ["to_regclass", "text", "regclass", "null"],
  ["pg_relation_size", "regclass", "int8", "1"],
  ["json_build_object", "text, anyelement", "json", "'{}'"],
  ["json_agg", "anyelement", "json", "'{}'"],
  ["pg_export_snapshot", "", "text", "'x'"],
  ["lo_get", "oid, int8, int4", "bytea", "'x'"],
  ["md5", "text", "text", "'x'"],
  ["unnest", "anyarray", "anyelement", "null"],
];

/** Makes the schema that a seed stands for. `folder` is where code that may run programs leaves a file. */
export function hostileSchema(seed: number, folder: string): HostileSchema {
  const random = new Random(seed);
  const name = `h${seed}`;
  const { sql: typeSql, types } = makeTypes(random, name);
  const tables = Array.from(
    { length: 1 + Math.floor(random.next() * 3) },
    (_, index) => makeTable(random, name, `t${index}`, types),
  );
  const rows = tables.map(({ table }) => table.name);
  const castable = [
    ...types.map(({ name }) => name).filter((type) => !/\.(label|kind)$/.test(type)),
    ...rows,
  ];
  const shadows = random.some(SHADOWS, 3, 12).map(([fn, args, returns, value]) =>
    `create function ${name}.${fn}(${args}) returns ${returns} language plpgsql as
      $f$ begin perform ${name}.witness('${name}.${fn}()'); return ${value}; end $f$`
  );
  const casts = makeCasts(random, name, castable);
  const operators = makeOperators(random, name, castable);
  const others = random.some(otherObjects(name, rows), 2, 6);
  // Casts and operators that are there before the tables can be used by them; those that come later meet what is
  // tracked already.
  const early = random.chance(0.5);
  return {
    name,
    sql: [
      `create schema ${name}`,
      ...witnessFunctions(name, folder),
      ...typeSql,
      ...tables.flatMap(({ sql }) => sql),
      ...early ? [...casts, ...operators] : [],
      ...shadows,
      ...others.flat(),
    ],
    tables: tables.map(({ table }) => table),
    later: [
      ...early ? [] : [...casts, ...operators],
      ...random.some(rows.flatMap((row) => laterChanges(name, row, types)), 0, 3),
    ],
  };
}

function makeTable(
  random: Random,
  schema: string,
  name: string,
  types: readonly HostileType[],
): { sql: string[]; table: HostileTable } {
  const table = `${schema}.${name}`;
  const keyType = random.one(types.filter(({ isKey }) => isKey));
  const twoKeys = random.chance(0.3);
  const columns = random.some(types, 1, 4);
  const defined = columns.map(({ name: type }, index) => `c${index} ${type}`);
  const partitioned = random.chance(0.15);
  const parts = [
    `k ${keyType.name}${random.chance(0.3) && /\.label$/.test(keyType.name) ? ' collate "C"' : ""}`,
    ...twoKeys ? ["k2 int not null default 7"] : [],
    ...defined,
    "note text",
    ...random.chance(0.3) ? [`d bool default ${schema}.witness('default of a column')`] : [],
    ...random.chance(0.3) ? [`g bool generated always as (${schema}.pure(note)) stored`] : [],
    ...random.chance(0.3) ? [`check (${schema}.pure('check of a table'))`] : [],
    ...random.chance(0.2) ? [`unique (note${twoKeys || partitioned ? ", k" : ""})`] : [],
    `primary key (k${twoKeys ? ", k2" : ""})`,
  ];
  const columnNames = columns.map((_, index) => `c${index}`);
  const rowOf = (index: number) =>
    [
      keyType.values[index % keyType.values.length]!,
      ...columns.map(({ values }) => values[(index + 1) % values.length]!),
      `'note ${index}'`,
    ].join(", ");
  const into = `insert into ${table} (${["k", ...columnNames, "note"].join(", ")})`;
  const first = columns[0]!;
  const sql = [
    `create table ${table} (${parts.join(", ")})${partitioned ? " partition by hash (k)" : ""}`,
    ...partitioned
      ? [0, 1].map((part) =>
        `create table ${table}_${part} partition of ${table} for values with (modulus 2, remainder ${part})`
      )
      : [],
    `${into} values (${rowOf(0)})`,
    // Large enough for a backup to look at some of its rows first.
    ...random.chance(0.5) ? [`alter table ${table} alter column note set storage external`] : [],
    ...random.some(tableObjects(schema, table), 0, 4),
    `grant select, insert, update, delete, truncate on ${table} to ${VISITOR}`,
    `grant select, trigger on ${table} to postgres`,
  ];
  const writes = [
    `${into} values (${rowOf(1)}), (${rowOf(2)})`,
    `update ${table} set note = 'changed'`,
    `update ${table} set c0 = ${first.values[2]}`,
    `update ${table} set note = note where false`,
    `update ${table} set k = ${keyType.values.at(-1)} where note = 'note 1'`,
    `update ${table} set note = pg_catalog.repeat('long ', 3000)`,
    `set datestyle to 'german'; update ${table} set note = 'with other settings'; reset datestyle`,
    `${into} values (${rowOf(0)}) on conflict do nothing`,
    `delete from ${table} where ctid = (select min(ctid) from ${table})`,
    ...random.chance(0.3) ? [`truncate ${table}`, `${into} values (${rowOf(0)}), (${rowOf(1)})`] : [],
    `delete from ${table}`,
    `${into} values (${rowOf(0)}), (${rowOf(1)})`,
    `update ${table} set note = pg_catalog.repeat(pg_catalog.md5(note), 2000)`,
  ];
  return { sql, table: { name: table, writes } };
}

/** What hangs on a table and acts when it is written, or built. */
function tableObjects(schema: string, table: string): string[] {
  const [, short] = table.split(".");
  return [
    `create index on ${table} ((${schema}.pure(note)))`,
    `create index on ${table} (note) where ${schema}.pure('predicate of an index')`,
    `create index on ${table} ((${schema}.pure('expression of an index')))`,
    `create statistics ${table}_s on (${schema}.pure(note)), (${schema}.pure('expression of statistics')) from ${table}`,
    `create trigger a_before before insert or update or delete on ${table} for each row execute function ${schema}.tell()`,
    `create trigger z_after after insert or update or delete on ${table} for each row execute function ${schema}.tell()`,
    `create trigger versioning_insert_ after insert on ${table} for each statement execute function ${schema}.tell()`,
    `create constraint trigger c_after after update on ${table} deferrable initially deferred for each row execute function ${schema}.tell()`,
    `create rule r_insert as on insert to ${table} do also select ${schema}.witness('rule')`,
    `create rule r_update as on update to ${table} do also select ${schema}.witness('rule')`,
    `alter table ${table} enable row level security; alter table ${table} force row level security;
      create policy p on ${table} using (${schema}.witness('policy')) with check (${schema}.witness('policy'))`,
    `alter table ${table} enable row level security;
      create policy p on ${table} using (${schema}.pure(note)) with check (true)`,
    `create table ${schema}.child_of_${short} () inherits (${table})`,
    `alter table ${table} replica identity full`,
    `create view ${schema}.view_of_${short} as select *, ${schema}.witness('view') as w from ${table}`,
    `create materialized view ${schema}.stored_${short} as select note, ${schema}.pure('materialized view') as w from ${table}`,
  ];
}

/**
 * What stands by itself: relations with the names of catalogs, a sequence with the name of a view's, casts by
 * aggregates.
 */
function otherObjects(schema: string, rows: readonly string[]): string[][] {
  return [
    ["pg_class", "pg_type", "pg_attribute", "pg_proc", "pg_namespace", "pg_trigger"].map((name) =>
      `create view ${schema}.${name} as select c.*, ${schema}.witness('view ${name}') as w from pg_catalog.${name} c`
    ),
    ["records", "layouts", "tables", "settings", "new_rows", "old_rows"].map((name) =>
      `create view ${schema}.${name} as select ${schema}.witness('view ${name}') as w, 1 as id`
    ),
    ["text", "int8", "name", "jsonb", "regclass", "oid"].map((name) =>
      `create domain ${schema}.${name} as pg_catalog.${name} check (${schema}.pure('domain ${name}'))`
    ),
    [
      `create function ${schema}.sum_step(a int8, b int8) returns int8 language plpgsql as
        $f$ begin perform ${schema}.witness('aggregate'); return a; end $f$`,
      `create aggregate ${schema}.sum(int8) (sfunc = ${schema}.sum_step, stype = int8, initcond = '0')`,
      `create aggregate ${schema}.max(int8) (sfunc = ${schema}.sum_step, stype = int8, initcond = '0')`,
    ],
    [
      `create sequence ${schema}.numbers`,
      `create view ${schema}.last as select ${schema}.witness('view') as last_value, true as is_called`,
    ],
    [
      `create extension if not exists citext with schema ${schema}`,
      `create function ${schema}.member(text) returns text language sql as $f$ select ${schema}.witness('member')::text $f$`,
      `alter extension citext add function ${schema}.member(text)`,
    ],
    [`create foreign table ${schema}.far (a int) server nowhere`],
    [`create collation ${schema}."C" (locale = 'C')`, `create collation ${schema}."default" (locale = 'C')`],
    [`alter role ${TENANT} set search_path = ${schema}, pg_catalog`],
    [`comment on schema ${schema} is 'a''b'`],
    [`create publication ${schema}_p for table ${rows[0]}`],
    [`create text search configuration ${schema}.simple (copy = pg_catalog.simple)`],
  ];
}

/** What the owner may change once the table is tracked. */
function laterChanges(schema: string, table: string, types: readonly HostileType[]): string[] {
  return [
    `alter table ${table} add column added ${types[0]!.name} default 'a'`,
    `alter table ${table} add column told bool default ${schema}.witness('default of an added column')`,
    `alter table ${table} alter column note type ${schema}.mood using 'a'::${schema}.mood`,
    `alter table ${table} rename column note to "note;--"`,
    `alter type ${schema}.mood rename to "mood"""`,
    `alter table ${table} add column computed bool generated always as (${schema}.pure('generated column, added')) stored`,
  ];
}
