/** The database itself: its creation, comment, grants and settings (pg_dump.c, dumpDatabase). */
import type { Session } from "../postgres/session.ts";
import { granted } from "./attachments.ts";
import { type Catalog, escapedLiteral, type Facts, literal } from "./catalog.ts";
import { CLASS } from "./class_ids.ts";
import { commentEntry } from "./attachments.ts";
import { attachedEntry, type Draft, mainEntry, makeObject } from "./object.ts";
import { settingCommand } from "./settings.ts";
import { queryJson } from "./query_json.ts";

interface Row {
  oid: number;
  name: string;
  owner: string;
  encoding: string;
  provider: string;
  collate: string;
  ctype: string;
  locale: string | null;
  icuRules: string | null;
  tablespace: string;
  template: boolean;
  connectionLimit: number;
  comment: string | null;
  acl: string[] | null;
  base: string[];
  labels: { provider: string; text: string }[] | null;
  settings: string[] | null;
  roleSettings: { role: string; settings: string[] }[] | null;
}

export interface Database {
  name: string;
  /** Entries from DATABASE on. */
  render(catalog: Catalog): Draft[];
}

const PROVIDERS: Record<string, string> = { c: "libc", i: "icu", b: "builtin" };

/** Providers other than libc came with 15, their rules with 16; 17 has one column for the locale of each. */
function localeColumns(version: number): string {
  if (version >= 170000) return `datlocprovider as provider, datlocale as locale, daticurules as "icuRules"`;
  if (version >= 160000) {
    return `datlocprovider as provider, daticulocale as locale, daticurules as "icuRules"`;
  }
  if (version >= 150000) {
    return `datlocprovider as provider, daticulocale as locale, null::text as "icuRules"`;
  }
  return `'c' as provider, null::text as locale, null::text as "icuRules"`;
}

export async function readDatabase(session: Session, { version }: Facts): Promise<Database> {
  const [row] = await queryJson<Row>(
    session,
    `select oid::int8, datname as name, pg_get_userbyid(datdba) as owner, pg_encoding_to_char(encoding) as encoding,
       datcollate as collate, datctype as ctype, ${localeColumns(version)},
       (select spcname from pg_tablespace t where t.oid = dattablespace) as tablespace,
       datistemplate as template, datconnlimit as "connectionLimit",
       shobj_description(oid, 'pg_database') as comment,
       datacl as acl, acldefault('d', datdba) as base,
       (select json_agg(json_build_object('provider', provider, 'text', label)) from pg_shseclabel
        where classoid = 'pg_database'::regclass and objoid = d.oid) as labels,
       (select setconfig from pg_db_role_setting where setrole = 0 and setdatabase = d.oid) as settings,
       (select json_agg(json_build_object('role', rolname, 'settings', setconfig)) from pg_db_role_setting s
        join pg_roles r on r.oid = s.setrole where setdatabase = d.oid) as "roleSettings"
     from pg_database d
     where datname = current_database()`,
  );
  const database = row!;
  return { name: database.name, render: (catalog) => render(database, catalog) };
}

function render(row: Row, catalog: Catalog): Draft[] {
  const name = catalog.quote(row.name);
  const object = makeObject({ kind: "schema", classId: CLASS.database, oid: row.oid, name: row.name });
  const main = mainEntry(object, {
    desc: "DATABASE",
    owner: row.owner,
    definition: creation(row, catalog),
    drop: `DROP DATABASE ${name};\n`,
    needs: [],
  });
  const what = { type: "DATABASE", name, owner: row.owner };
  const attached = [
    ...(row.comment ? [commentEntry(catalog, object, what, row.comment)] : []),
    ...(row.labels ? [labels(row.labels)] : []),
    ...granted(catalog, object, what, row),
  ].map((draft) => ({ ...draft, needs: [main] }));
  const properties = [
    ...(row.connectionLimit === -1
      ? []
      : [`ALTER DATABASE ${name} CONNECTION LIMIT = ${row.connectionLimit};\n`]),
    ...(row.template ? [`ALTER DATABASE ${name} IS_TEMPLATE = true;\n`] : []),
    ...(row.settings ?? []).map((setting) => settingCommand(catalog, `DATABASE ${name}`, setting)),
    ...(row.roleSettings ?? []).flatMap(({ role, settings }) =>
      settings.map((setting) =>
        settingCommand(catalog, `ROLE ${catalog.quote(role)} IN DATABASE ${name}`, setting)
      )
    ),
  ].join("");
  if (properties === "") return [main, ...attached];
  return [
    main,
    ...attached,
    attachedEntry(object, {
      desc: "DATABASE PROPERTIES",
      tag: row.name,
      owner: row.owner,
      section: "pre-data",
      definition: properties,
      // DROP DATABASE does not take a template.
      drop: row.template
        ? `UPDATE pg_catalog.pg_database SET datistemplate = false WHERE datname = ${literal(row.name)};\n`
        : "",
      needs: [],
    }),
  ];

  function labels(list: { provider: string; text: string }[]): Draft {
    return attachedEntry(object, {
      desc: "SECURITY LABEL",
      tag: `DATABASE ${name}`,
      owner: row.owner,
      definition: list.map(({ provider, text }) =>
        `SECURITY LABEL FOR ${catalog.quote(provider)} ON DATABASE ${name} IS ${escapedLiteral(text)};\n`
      ).join(""),
    });
  }
}

function creation(row: Row, catalog: Catalog): string {
  const parts = [
    `CREATE DATABASE ${catalog.quote(row.name)} WITH TEMPLATE = template0 ENCODING = ${
      literal(row.encoding)
    }`,
    `LOCALE_PROVIDER = ${PROVIDERS[row.provider]}`,
    ...(row.collate === row.ctype
      ? [`LOCALE = ${literal(row.collate)}`]
      : [`LC_COLLATE = ${literal(row.collate)}`, `LC_CTYPE = ${literal(row.ctype)}`]),
  ];
  if (row.locale !== null) {
    parts.push(`${row.provider === "b" ? "BUILTIN_LOCALE" : "ICU_LOCALE"} = ${literal(row.locale)}`);
  }
  if (row.icuRules !== null) parts.push(`ICU_RULES = ${literal(row.icuRules)}`);
  if (row.tablespace !== "pg_default") parts.push(`TABLESPACE = ${catalog.quote(row.tablespace)}`);
  return `${parts.join(" ")};\n`;
}
