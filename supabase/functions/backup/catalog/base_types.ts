/** Base types, made of functions in a library, and types that were announced and never made. */
import { literal } from "./catalog.ts";
import type { ObjectType } from "./object_type.ts";
import { addShell, addType, typeQuery, type TypeRow } from "./types.ts";

interface Row extends TypeRow {
  defined: boolean;
  length: number;
  input: string;
  output: string;
  receive: string;
  send: string;
  modifierInput: string;
  modifierOutput: string;
  analyze: string;
  collatable: boolean;
  /** An expression, or else a text that wants quotes. */
  defaultExpression: string | null;
  defaultText: string | null;
  subscript: string;
  element: string | null;
  category: string;
  preferred: boolean;
  delimiter: string;
  alignment: "c" | "s" | "i" | "d";
  storage: "p" | "e" | "x" | "m";
  byValue: boolean;
}

const ALIGNMENTS = { c: "char", s: "int2", i: "int4", d: "double" };
const STORAGES = { p: "plain", e: "external", x: "extended", m: "main" };

/** An element type's own array type is made by the server. */
const IS_ARRAY = `(t.typname like '\\_%' and t.typelem <> 0
  and (select e.typarray from pg_type e where e.oid = t.typelem) = t.oid)`;

export const baseTypes: ObjectType<Row> = {
  name: "base types",
  query: () =>
    typeQuery({
      columns: `t.typisdefined as defined, t.typlen as length,
        t.typinput::text as input, t.typoutput::text as output,
        t.typreceive::text as receive, t.typsend::text as send,
        t.typmodin::text as "modifierInput", t.typmodout::text as "modifierOutput",
        t.typanalyze::text as analyze, t.typcollation <> 0 as collatable,
        pg_get_expr(t.typdefaultbin, 0) as "defaultExpression", t.typdefault as "defaultText",
        t.typsubscript::text as subscript,
        case when t.typelem <> 0 then format_type(t.typelem, null) end as element,
        t.typcategory as category, t.typispreferred as preferred, t.typdelim as delimiter,
        t.typalign as alignment, t.typstorage as storage, t.typbyval as "byValue"`,
      which: `(t.typtype = 'b' and not ${IS_ARRAY} or t.typtype = 'p' and not t.typisdefined)`,
    }),
  read(row, catalog) {
    if (!row.defined) {
      addType(row, catalog, { definition: (name) => `CREATE TYPE ${name};\n` });
      return;
    }
    const options = typeOptions(row).map((option) => `\n    ${option}`).join(",");
    addType(row, catalog, {
      // Type and functions need each other: nothing else would drop them.
      cascade: " CASCADE",
      shell: addShell(row, catalog),
      definition: (name) => `CREATE TYPE ${name} (${options}\n);\n`,
    });
  },
};

function typeOptions(row: Row): string[] {
  const option = (word: string, value: string | null) => value === null ? [] : [`${word} = ${value}`];
  const routine = (word: string, name: string) => option(word, name === "-" ? null : name);
  return [
    `INTERNALLENGTH = ${row.length === -1 ? "variable" : row.length}`,
    `INPUT = ${row.input}`,
    `OUTPUT = ${row.output}`,
    ...routine("RECEIVE", row.receive),
    ...routine("SEND", row.send),
    ...routine("TYPMOD_IN", row.modifierInput),
    ...routine("TYPMOD_OUT", row.modifierOutput),
    ...routine("ANALYZE", row.analyze),
    ...option("COLLATABLE", row.collatable ? "true" : null),
    ...option(
      "DEFAULT",
      row.defaultExpression ?? (row.defaultText === null ? null : literal(row.defaultText)),
    ),
    ...routine("SUBSCRIPT", row.subscript),
    ...option("ELEMENT", row.element),
    ...option("CATEGORY", row.category === "U" ? null : literal(row.category)),
    ...option("PREFERRED", row.preferred ? "true" : null),
    ...option("DELIMITER", row.delimiter === "," ? null : literal(row.delimiter)),
    `ALIGNMENT = ${ALIGNMENTS[row.alignment]}`,
    `STORAGE = ${STORAGES[row.storage]}`,
    ...(row.byValue ? ["PASSEDBYVALUE"] : []),
  ];
}
