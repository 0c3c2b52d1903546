/** Aggregates (pg_dump.c, getAggregates, dumpAgg). */
import { described, granted, type Privileges } from "./attachments.ts";
import { type Catalog, literal } from "./catalog.ts";
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { mainEntry, makeObject } from "./object.ts";
import { selected, worthReading } from "./selection.ts";
import { operatorReference } from "./signatures.ts";
import { ARGUMENT_TYPES_SQL, SIGNATURE_SQL } from "./functions.ts";

interface Row extends Privileges {
  oid: number;
  namespace: string;
  name: string;
  owner: string;
  whole: boolean;
  argumentCount: number;
  /** Schema and name of each argument's type. */
  argumentTypes: string[] | null;
  /** Types alone; with names and modes, as in CREATE and as in DROP. */
  types: string;
  arguments: string;
  identity: string;
  kind: "n" | "o" | "h";
  parallel: "u" | "s" | "r";
  sortOperator: string | null;
  state: Phase;
  moving: Phase & { inverse: string };
  combine: string;
  serialize: string;
  deserialize: string;
}

/** The functions that carry an aggregate's state; there is a second set for moving windows. */
interface Phase {
  transition: string;
  type: string;
  space: number;
  initial: string | null;
  final: string;
  extra: boolean;
  modify: "r" | "s" | "w";
}

const OBJECT = { catalog: "pg_proc", oid: "p.oid", acl: "p.proacl", owner: "p.proowner", aclKind: "'f'" };

const MODIFY = { r: "READ_ONLY", s: "SHAREABLE", w: "READ_WRITE" };
const PARALLEL = { s: "safe", r: "restricted" };

function phase(prefix: string, further = ""): string {
  return `json_build_object('transition', a.agg${prefix}transfn::regproc, 'type', a.agg${prefix}transtype::regtype,
         'space', a.agg${prefix}transspace, 'initial', a.agg${prefix}initval, 'final', a.agg${prefix}finalfn::regproc,
         'extra', a.agg${prefix}finalextra, 'modify', a.agg${prefix}finalmodify${further})`;
}

export const aggregates: ObjectType<Row> = {
  name: "aggregates",
  query: () => `
     select p.oid::int8, n.nspname as namespace, p.proname as name, pg_get_userbyid(p.proowner) as owner, ${
    selected(OBJECT)
  },
       p.pronargs as "argumentCount", ${ARGUMENT_TYPES_SQL} as "argumentTypes", coalesce(${SIGNATURE_SQL}, '') as types,
       pg_get_function_arguments(p.oid) as arguments, pg_get_function_identity_arguments(p.oid) as identity,
       a.aggkind as kind, p.proparallel as parallel, ${operatorReference("a.aggsortop")} as "sortOperator",
       ${phase("")} as state, ${phase("m", ", 'inverse', a.aggminvtransfn::regproc")} as moving,
       a.aggcombinefn::regproc as combine, a.aggserialfn::regproc as serialize, a.aggdeserialfn::regproc as deserialize
     from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_aggregate a on a.aggfnoid = p.oid
     where p.prokind = 'a' and ${worthReading(OBJECT)}`,
  read(row, catalog) {
    const name = catalog.quote(row.name);
    const signature = `${name}(${row.identity || "*"})`;
    const qualified = `${catalog.quote(row.namespace)}.${signature}`;
    const object = makeObject({
      kind: "aggregate",
      classId: CLASS.procedure,
      oid: row.oid,
      namespace: row.namespace,
      name: row.name,
      key: [row.argumentCount, ...(row.argumentTypes ?? []).flat()],
      render: () => [
        ...(row.whole ? [definition()] : []),
        ...(row.whole
          ? described(catalog, object, { type: "AGGREGATE", name: signature, owner: row.owner })
          : []),
        // GRANT knows no aggregates: they pass for functions.
        ...granted(
          catalog,
          object,
          { type: "FUNCTION", name: `${name}(${row.types})`, owner: row.owner },
          row,
        ),
      ],
    });
    catalog.add(object);

    function definition() {
      return mainEntry(object, {
        desc: "AGGREGATE",
        tag: `${row.name}(${row.types || "*"})`,
        owner: row.owner,
        definition: creation(row, catalog),
        drop: `DROP AGGREGATE ${qualified};\n`,
      });
    }
  },
};

function creation(row: Row, catalog: Catalog): string {
  const { state, moving } = row;
  const options = [
    `SFUNC = ${state.transition}`,
    `STYPE = ${state.type}`,
    ...start("", state),
    ...end("", state, row.kind),
    ...[["COMBINEFUNC", row.combine], ["SERIALFUNC", row.serialize], ["DESERIALFUNC", row.deserialize]]
      .filter(([, name]) => name !== "-").map(([option, name]) => `${option} = ${name}`),
    ...(moving.transition === "-"
      ? []
      : [`MSFUNC = ${moving.transition}`, `MINVFUNC = ${moving.inverse}`, `MSTYPE = ${moving.type}`]),
    ...start("M", moving),
    ...end("M", moving, row.kind),
    ...(row.sortOperator === null ? [] : [`SORTOP = ${row.sortOperator}`]),
    ...(row.kind === "h" ? ["HYPOTHETICAL"] : []),
    ...(row.parallel === "u" ? [] : [`PARALLEL = ${PARALLEL[row.parallel]}`]),
  ];
  return `CREATE AGGREGATE ${catalog.qualified({ namespace: row.namespace, name: row.name })}(${
    row.arguments || "*"
  }) (\n    ${options.join(",\n    ")}\n);\n`;
}

function start(prefix: string, { space, initial }: Phase): string[] {
  return [
    ...(space === 0 ? [] : [`${prefix}SSPACE = ${space}`]),
    ...(initial === null ? [] : [`${prefix}INITCOND = ${literal(initial)}`]),
  ];
}

function end(prefix: string, { final, extra, modify }: Phase, kind: Row["kind"]): string[] {
  if (final === "-") return [];
  const usual = kind === "n" ? "r" : "w";
  return [
    `${prefix}FINALFUNC = ${final}`,
    ...(extra ? [`${prefix}FINALFUNC_EXTRA`] : []),
    ...(modify === usual ? [] : [`${prefix}FINALFUNC_MODIFY = ${MODIFY[modify]}`]),
  ];
}
