/** Collations (pg_dump.c, dumpCollation). */
import { described } from "./attachments.ts";
import { literal } from "./catalog.ts";
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { mainEntry, makeObject } from "./object.ts";
import { isWhole } from "./selection.ts";

interface Row {
  oid: number;
  namespace: string;
  name: string;
  owner: string;
  encoding: number;
  provider: "b" | "c" | "d" | "i";
  deterministic: boolean;
  /** Of ICU and of the server's own provider; null for the C library's, which has the two below. */
  locale: string | null;
  collate: string | null;
  ctype: string | null;
  rules: string | null;
}

const PROVIDERS = { b: "builtin", c: "libc", d: "default", i: "icu" };

/**
 * ICU's locale has a column of its own since 15, rules since 16; since 17 the column serves the builtin provider too.
 */
function localeColumns(version: number): string {
  if (version >= 170000) return "c.colllocale as locale, c.collicurules as rules";
  if (version >= 160000) return "c.colliculocale as locale, c.collicurules as rules";
  if (version >= 150000) return "c.colliculocale as locale, null as rules";
  return "null as locale, null as rules";
}

export const collations: ObjectType<Row> = {
  name: "collations",
  query: (version) => `
     select c.oid::int8, n.nspname as namespace, c.collname as name, pg_get_userbyid(c.collowner) as owner, c.collencoding as encoding,
       c.collprovider as provider, c.collisdeterministic as deterministic, c.collcollate as collate, c.collctype as ctype,
       ${localeColumns(version)}
     from pg_collation c join pg_namespace n on n.oid = c.collnamespace
     where ${isWhole("pg_collation", "c.oid")}`,
  read(row, catalog) {
    const object = makeObject({
      kind: "collation",
      classId: CLASS.collation,
      oid: row.oid,
      namespace: row.namespace,
      name: row.name,
      key: [row.encoding],
      render: () => [
        mainEntry(object, {
          desc: "COLLATION",
          owner: row.owner,
          definition: `CREATE COLLATION ${catalog.qualified(object)} (${options(row).join(", ")});\n`,
          drop: `DROP COLLATION ${catalog.qualified(object)};\n`,
        }),
        ...described(catalog, object, { type: "COLLATION", name: catalog.quote(row.name), owner: row.owner }),
      ],
    });
    catalog.add(object);
  },
};

function options(row: Row): string[] {
  const { locale, collate, ctype } = row;
  const same = locale ?? (collate === ctype ? collate : null);
  return [
    `provider = ${PROVIDERS[row.provider]}`,
    ...(row.deterministic ? [] : ["deterministic = false"]),
    ...(same !== null
      ? [`locale = ${literal(same)}`]
      : [`lc_collate = ${literal(collate ?? "")}`, `lc_ctype = ${literal(ctype ?? "")}`]),
    ...(row.rules === null ? [] : [`rules = ${literal(row.rules)}`]),
  ];
}
