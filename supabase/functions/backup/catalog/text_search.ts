/** Text search: parsers, templates, dictionaries, configurations (pg_dump.c, dumpTSParser to dumpTSConfig). */
import { described } from "./attachments.ts";
import type { Catalog } from "./catalog.ts";
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { type Kind, mainEntry, makeObject } from "./object.ts";
import { isWhole } from "./selection.ts";

interface Row {
  oid: number;
  namespace: string;
  name: string;
  /** Null for parsers and templates: they belong to superusers. */
  owner: string | null;
  /** What stands between the parentheses, each on a line of its own. */
  options: string[];
}

interface ConfigurationRow extends Row {
  /** Token types in their order, with their dictionaries. */
  mappings: { token: string; dictionaries: string }[];
}

/** The query of an object type whose rows are `x` in the catalog `table`, whose columns begin with `prefix`. */
function rows(
  { table, prefix, owned, options, further = "", joins = "" }: {
    table: string;
    prefix: string;
    owned: boolean;
    options: string;
    further?: string;
    joins?: string;
  },
): string {
  return `
     select x.oid::int8, n.nspname as namespace, x.${prefix}name as name,
       ${
    owned ? `pg_get_userbyid(x.${prefix}owner)` : "null"
  } as owner, array_remove(array[${options}], null) as options${further}
     from ${table} x join pg_namespace n on n.oid = x.${prefix}namespace ${joins}
     where ${isWhole(table, "x.oid")}`;
}

/** `KEYWORD = function`, null where the column holds none. */
function functionOption(keyword: string, column: string): string {
  return `'${keyword} = ' || nullif(x.${column}::regproc::text, '-')`;
}

export const textSearchParsers: ObjectType<Row> = {
  name: "text search parsers",
  query: () =>
    rows({
      table: "pg_ts_parser",
      prefix: "prs",
      owned: false,
      options: [
        functionOption("START", "prsstart"),
        functionOption("GETTOKEN", "prstoken"),
        functionOption("END", "prsend"),
        functionOption("HEADLINE", "prsheadline"),
        functionOption("LEXTYPES", "prslextype"),
      ].join(", "),
    }),
  read: (row, catalog) => add(row, catalog, "text search parser", CLASS.textSearchParser),
};

export const textSearchTemplates: ObjectType<Row> = {
  name: "text search templates",
  query: () =>
    rows({
      table: "pg_ts_template",
      prefix: "tmpl",
      owned: false,
      options: `${functionOption("INIT", "tmplinit")}, ${functionOption("LEXIZE", "tmpllexize")}`,
    }),
  read: (row, catalog) => add(row, catalog, "text search template", CLASS.textSearchTemplate),
};

export const textSearchDictionaries: ObjectType<Row> = {
  name: "text search dictionaries",
  query: () =>
    rows({
      table: "pg_ts_dict",
      prefix: "dict",
      owned: true,
      options: "format('TEMPLATE = %I.%I', tn.nspname, t.tmplname), x.dictinitoption",
      joins:
        "join pg_ts_template t on t.oid = x.dicttemplate join pg_namespace tn on tn.oid = t.tmplnamespace",
    }),
  read: (row, catalog) => add(row, catalog, "text search dictionary", CLASS.textSearchDictionary),
};

export const textSearchConfigurations: ObjectType<ConfigurationRow> = {
  name: "text search configurations",
  query: () =>
    rows({
      table: "pg_ts_config",
      prefix: "cfg",
      owned: true,
      options: "format('PARSER = %I.%I', pn.nspname, p.prsname)",
      joins: "join pg_ts_parser p on p.oid = x.cfgparser join pg_namespace pn on pn.oid = p.prsnamespace",
      further: `,
       (select coalesce(json_agg(m order by m.type), '[]') from (
         select maptokentype as type, (select alias from ts_token_type(x.cfgparser) where tokid = maptokentype) as token,
           string_agg(mapdict::regdictionary::text, ', ' order by mapseqno) as dictionaries
         from pg_ts_config_map where mapcfg = x.oid group by maptokentype
       ) m) as mappings`,
    }),
  read: (row, catalog) => {
    const name = catalog.qualified({ namespace: row.namespace, name: row.name });
    const mappings = row.mappings.map(({ token, dictionaries }) =>
      `\nALTER TEXT SEARCH CONFIGURATION ${name}\n    ADD MAPPING FOR ${
        catalog.quote(token)
      } WITH ${dictionaries};\n`
    );
    add(row, catalog, "text search configuration", CLASS.textSearchConfiguration, mappings.join(""));
  },
};

function add(row: Row, catalog: Catalog, kind: Kind, classId: number, further = ""): void {
  const desc = kind.toUpperCase();
  const object = makeObject({
    kind,
    classId,
    oid: row.oid,
    namespace: row.namespace,
    name: row.name,
    render: () => {
      const name = catalog.qualified(object);
      return [
        mainEntry(object, {
          desc,
          owner: row.owner,
          definition: `CREATE ${desc} ${name} (\n    ${row.options.join(",\n    ")} );\n${further}`,
          drop: `DROP ${desc} ${name};\n`,
        }),
        ...described(catalog, object, { type: desc, name: catalog.quote(row.name), owner: row.owner ?? "" }),
      ];
    },
  });
  catalog.add(object);
}
