/** What a role may put into its own session before it writes: pg_temp objects with the names of the catalog's. */
import type { Random } from "./random.ts";

const TYPES = [
  "text",
  "name",
  "json",
  "jsonb",
  "regclass",
  "int8",
  "int4",
  "bool",
  "oid",
  "timestamptz",
  "float8",
  "bytea",
  "varchar",
];
const RELATIONS = ["pg_class", "pg_trigger", "pg_attribute", "pg_proc", "records", "layouts", "tables"];

/** Statements at the start of a session. */
export function hostileSession(random: Random, schema: string): string[] {
  return [
    `set search_path = ${random.one([`${schema}, pg_catalog`, `pg_temp, ${schema}`, "pg_catalog", schema])}`,
    `create function pg_temp.told(what pg_catalog.text) returns pg_catalog.bool language sql as $f$ select ${schema}.witness(what) $f$`,
    ...random.some(TYPES, 2, 8).map((type) =>
      `create domain pg_temp.${type} as pg_catalog.${type} check (pg_temp.told('pg_temp.${type}'))`
    ),
    ...random.some(RELATIONS, 0, 4).map((name) =>
      `create temp view ${name} as select pg_temp.told('pg_temp.${name}') as w, 1::pg_catalog.int8 as id`
    ),
  ];
}
