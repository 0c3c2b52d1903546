/** Types that an ordinary role can make, with casts and operators that tell as whom they run. */
import type { Random } from "./random.ts";

export interface HostileType {
  /** With its schema. */
  name: string;
  /** Literals of it, all different. */
  values: string[];
  /** A primary key can have it. */
  isKey: boolean;
}

/** Target types of casts, with a value of each. */
const TARGETS: Record<string, string> = {
  text: "'x'",
  varchar: "'x'",
  json: "'{}'",
  jsonb: "'{}'",
  bool: "true",
  int4: "1",
  int8: "1",
  bytea: "'x'",
  name: "'x'",
  "text[]": "'{x}'",
  timestamptz: "'2026-01-01'",
};
const SOURCES = ["text", "varchar", "json", "jsonb", "int4", "name", "bytea"];
const CONTEXTS = ["", " as assignment", " as implicit"];
const OPERATORS = ["=", "<>", "<", "<=", ">", "||", "~~", "->", "->>", "@>", "%"];

/** Statements that make types, and the types; of each kind with the share of its chance. */
export function makeTypes(random: Random, schema: string): { sql: string[]; types: HostileType[] } {
  const sql: string[] = [];
  const types: HostileType[] = [];
  const add = (name: string, statement: string, values: string[], isKey = true) => {
    sql.push(statement);
    types.push({ name: `${schema}.${name}`, values, isKey });
  };
  add("mood", `create type ${schema}.mood as enum ('a', 'b', 'c', 'x', '{}')`, ["'a'", "'b'", "'c'", "'x'"]);
  if (random.chance(0.6)) {
    add(
      "label",
      `create domain ${schema}.label as text check (${schema}.pure('check of a domain'))`,
      ["'l1'", "'l2'", "'l3'"],
    );
  }
  if (random.chance(0.6)) {
    add("pair", `create type ${schema}.pair as (m ${schema}.mood, n int)`, ["'(a,1)'", "'(b,2)'", "'(c,3)'"]);
  }
  if (random.chance(0.5)) {
    sql.push(
      `create function ${schema}.difference(a int4, b int4) returns float8 language plpgsql immutable as
        $f$ begin perform ${schema}.pure('subtype_diff'); return 1; end $f$`,
    );
    add(
      "span",
      `create type ${schema}.span as range (subtype = int4, subtype_diff = ${schema}.difference)`,
      ["'[1,5)'", "'[6,9)'", "'[10,12)'"],
    );
  }
  if (random.chance(0.4)) {
    add(
      "kind",
      `create domain ${schema}.kind as ${schema}.mood check (${schema}.pure('check of a domain of an enum'))`,
      ["'a'", "'b'", "'c'"],
    );
  }
  for (const { name, values } of random.some(types, 1, 3)) {
    const array = values.map((value) => `array[${value}]::${name}[]`);
    types.push({ name: `${name}[]`, values: array, isKey: true });
  }
  return { sql, types };
}

/** Casts of types, also of the types of rows. */
export function makeCasts(random: Random, schema: string, names: readonly string[]): string[] {
  const sql: string[] = [];
  for (const [index, name] of names.entries()) {
    for (const target of random.some(Object.keys(TARGETS), 3, 7)) {
      const fn = `${schema}.to_${index}_${target.replaceAll(/\W/g, "s")}`;
      sql.push(
        `create function ${fn}(v ${name}) returns ${target} language plpgsql immutable as
          $f$ begin perform ${schema}.pure('cast of ${name} to ${target}'); return ${
          TARGETS[target]
        }; end $f$`,
        `create cast (${name} as ${target}) with function ${fn}(${name})${random.one(CONTEXTS)}`,
      );
    }
    for (const source of random.some(SOURCES, 0, 3)) {
      const fn = `${schema}.from_${index}_${source}`;
      sql.push(
        `create function ${fn}(v ${source}) returns ${name} language plpgsql immutable as
          $f$ begin perform ${schema}.pure('cast of ${source} to ${name}'); return null; end $f$`,
        `create cast (${source} as ${name}) with function ${fn}(${source})${random.one(CONTEXTS)}`,
      );
    }
  }
  return sql;
}

/** Operators on the types and on those of the catalog, in the hostile schema. */
export function makeOperators(random: Random, schema: string, names: readonly string[]): string[] {
  const sides: [string, string][] = [
    ...names.map((name): [string, string] => [name, name]),
    ...names.map((name): [string, string] => [name, "text"]),
    ...[
      "text",
      "int4",
      "int8",
      "bool",
      "oid",
      "name",
      "jsonb",
      "regclass",
      "anyelement",
      "record",
      "tid",
      '"char"',
    ].map(
      (name): [string, string] => [name, name],
    ),
    ["jsonb", "text"],
    ["json", "text"],
    ["text", "anyelement"],
  ];
  return random.some(sides, 4, 10).flatMap(([left, right], index) => {
    const operator = random.one(OPERATORS);
    const result = operator === "||" || operator === "->>" ? ["text", "'x'"] : ["bool", "true"];
    return [
      `create function ${schema}.op_${index}(a ${left}, b ${right}) returns ${
        result[0]
      } language plpgsql immutable as
        $f$ begin perform ${schema}.pure('operator ${operator} (${left}, ${right})'); return ${
        result[1]
      }; end $f$`,
      `create operator ${schema}.${operator} (leftarg = ${left}, rightarg = ${right}, function = ${schema}.op_${index})`,
    ];
  });
}
