/** Functions and procedures; aggregates are an object type of their own. */
import { described, granted, type Privileges } from "./attachments.ts";
import { type Catalog, dollarQuoted, literal, objectKey } from "./catalog.ts";
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { type CatalogObject, type Draft, mainEntry, makeObject } from "./object.ts";
import { selected, worthReading } from "./selection.ts";
import { parseSetting, settingValue } from "./settings.ts";

interface Row extends Privileges {
  oid: number;
  namespace: string;
  name: string;
  owner: string;
  whole: boolean;
  kind: "f" | "p" | "w";
  argumentCount: number;
  /** Schema and name of each argument's type. */
  argumentTypes: string[] | null;
  /** Types as a call names them. */
  signature: string | null;
  identityArguments: string;
  arguments: string;
  result: string | null;
  language: string;
  transforms: string[] | null;
  volatility: "i" | "s" | "v";
  strict: boolean;
  definer: boolean;
  leakproof: boolean;
  cost: string;
  returnsSet: boolean;
  rows: string;
  support: string;
  parallel: "s" | "r" | "u";
  settings: string[] | null;
  body: string | null;
  library: string | null;
  source: string;
}

const OBJECT = { catalog: "pg_proc", oid: "p.oid", acl: "p.proacl", owner: "p.proowner", aclKind: "'f'" };

/** Schema and name of each argument's type: they order functions of one name. */
export const ARGUMENT_TYPES_SQL = `
  (select array_agg(array[tn.nspname, t.typname] order by a.place)
   from unnest(p.proargtypes) with ordinality as a (type, place)
   join pg_type t on t.oid = a.type join pg_namespace tn on tn.oid = t.typnamespace)`;

/** Argument types as a call of the function names them. */
export const SIGNATURE_SQL = `
  (select string_agg(format_type(a.type, null), ', ' order by a.place)
   from unnest(p.proargtypes) with ordinality as a (type, place))`;

export const functions: ObjectType<Row> = {
  name: "functions",
  // The constructors of a range type depend on it internally and come with it.
  query: () => `
    select p.oid::int8, n.nspname as namespace, p.proname as name, pg_get_userbyid(p.proowner) as owner,
      p.prokind as kind, p.pronargs as "argumentCount", ${ARGUMENT_TYPES_SQL} as "argumentTypes",
      ${SIGNATURE_SQL} as signature,
      pg_get_function_identity_arguments(p.oid) as "identityArguments",
      pg_get_function_arguments(p.oid) as arguments, pg_get_function_result(p.oid) as result,
      l.lanname as language,
      (select array_agg(format_type(t.type, null) order by t.place)
       from unnest(p.protrftypes) with ordinality as t (type, place)) as transforms,
      p.provolatile as volatility, p.proisstrict as strict, p.prosecdef as definer, p.proleakproof as leakproof,
      p.procost::text as cost, p.proretset as "returnsSet", p.prorows::text as rows, p.prosupport::text as support,
      p.proparallel as parallel, p.proconfig as settings,
      pg_get_function_sqlbody(p.oid) as body, p.probin as library, p.prosrc as source,
      ${selected(OBJECT)}
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    join pg_language l on l.oid = p.prolang
    where p.prokind <> 'a' and ${worthReading(OBJECT)}
      and not exists (
        select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'i')
    order by p.oid`,
  read(row, catalog) {
    const object: CatalogObject = makeObject({
      kind: "function",
      classId: CLASS.procedure,
      oid: row.oid,
      namespace: row.namespace,
      name: row.name,
      key: [row.argumentCount, ...(row.argumentTypes ?? []).flat()],
      render: () => render(row, object, catalog),
    });
    catalog.add(object);
  },
};

function render(row: Row, object: CatalogObject, catalog: Catalog): Draft[] {
  const type = row.kind === "p" ? "PROCEDURE" : "FUNCTION";
  const identity = `${catalog.quote(row.name)}(${row.identityArguments})`;
  const what = { type, name: identity, owner: row.owner };
  const grants = granted(catalog, object, what, row);
  if (!row.whole) return grants;
  const qualified = `${catalog.quote(row.namespace)}.${identity}`;
  return [
    mainEntry(object, {
      desc: type,
      tag: `${row.name}(${row.signature ?? ""})`,
      owner: row.owner,
      section: object.form === "postponed" ? "post-data" : "pre-data",
      definition: definition(row, type, catalog) +
        dependsOnExtensions(catalog, object, `${type} ${qualified}`),
      drop: `DROP ${type} ${qualified};\n`,
    }),
    ...described(catalog, object, what),
    ...grants,
  ];
}

const VOLATILITIES = { i: " IMMUTABLE", s: " STABLE", v: "" };
const PARALLELS = { s: " PARALLEL SAFE", r: " PARALLEL RESTRICTED", u: "" };

function definition(row: Row, type: string, catalog: Catalog): string {
  // Costs and rows that CREATE FUNCTION assumes by itself (functioncmds.c).
  const usualCost = row.language === "internal" || row.language === "c" ? "1" : "100";
  return [
    `CREATE ${type} ${catalog.qualified(row)}(${row.arguments})`,
    row.kind === "p" || row.result === null ? "" : ` RETURNS ${row.result}`,
    `\n    LANGUAGE ${catalog.quote(row.language)}`,
    row.transforms ? ` TRANSFORM ${row.transforms.map((name) => `FOR TYPE ${name}`).join(", ")}` : "",
    row.kind === "w" ? " WINDOW" : "",
    VOLATILITIES[row.volatility],
    row.strict ? " STRICT" : "",
    row.definer ? " SECURITY DEFINER" : "",
    row.leakproof ? " LEAKPROOF" : "",
    row.cost === "0" || row.cost === usualCost ? "" : ` COST ${row.cost}`,
    row.returnsSet && row.rows !== "0" && row.rows !== "1000" ? ` ROWS ${row.rows}` : "",
    row.support === "-" ? "" : ` SUPPORT ${row.support}`,
    PARALLELS[row.parallel],
    ...(row.settings ?? []).map((setting) => {
      const [name, value] = parseSetting(setting);
      return `\n    SET ${catalog.quote(name)} TO ${settingValue(name, value)}`;
    }),
    `\n    ${body(row)};\n`,
  ].join("");
}

function body({ body, library, source }: Row): string {
  if (body !== null) return body;
  if (!library) return `AS ${dollarQuoted(source)}`;
  if (source === "") return `AS ${literal(library)}`;
  return `AS ${literal(library)}, ${/['\\]/.test(source) ? dollarQuoted(source) : literal(source)}`;
}

/** `ALTER … DEPENDS ON EXTENSION x;` for what falls with an extension without being its member. */
export function dependsOnExtensions(catalog: Catalog, object: CatalogObject, target: string): string {
  const names = catalog.dependsOnExtensions.get(objectKey(object.classId, object.oid)) ?? [];
  // pg_dump has the line's end before the command since 17, and after it until then.
  const [before, after] = catalog.facts.version >= 170000 ? ["\n", ""] : ["", "\n"];
  return names.map((name) => `${before}ALTER ${target} DEPENDS ON EXTENSION ${catalog.quote(name)};${after}`)
    .join("");
}
