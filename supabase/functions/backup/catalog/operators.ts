/** Operators (pg_dump.c, getOperators, dumpOpr). */
import { described } from "./attachments.ts";
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { mainEntry, makeObject } from "./object.ts";
import { isWhole } from "./selection.ts";
import { functionName, operatorReference } from "./signatures.ts";

interface Row {
  oid: number;
  namespace: string;
  name: string;
  owner: string;
  /** `l` has only a right operand, `b` has both. */
  kind: "l" | "b";
  /** Schema and name of the operands' types; null for none. */
  leftType: string[] | null;
  rightType: string[];
  left: string;
  right: string;
  code: string;
  restrict: string;
  join: string;
  commutator: string | null;
  negator: string | null;
  merges: boolean;
  hashes: boolean;
}

/** Schema and name of a type, an SQL expression. */
function typeName(oid: string): string {
  return `(select array[tn.nspname, t.typname] from pg_type t join pg_namespace tn on tn.oid = t.typnamespace where t.oid = ${oid})`;
}

export const operators: ObjectType<Row> = {
  name: "operators",
  query: () => `
     select o.oid::int8, n.nspname as namespace, o.oprname as name, pg_get_userbyid(o.oprowner) as owner, o.oprkind as kind,
       ${typeName("o.oprleft")} as "leftType", ${typeName("o.oprright")} as "rightType",
       o.oprleft::regtype as left, o.oprright::regtype as right, o.oprcode::regprocedure as code,
       o.oprrest::regprocedure as restrict, o.oprjoin::regprocedure as join,
       ${operatorReference("o.oprcom")} as commutator, ${operatorReference("o.oprnegate")} as negator,
       o.oprcanmerge as merges, o.oprcanhash as hashes
     from pg_operator o join pg_namespace n on n.oid = o.oprnamespace
     where ${isWhole("pg_operator", "o.oid")}`,
  read(row, catalog) {
    const operands = `${row.kind === "b" ? row.left : "NONE"}, ${row.right}`;
    const signature = `${row.name} (${operands})`;
    const schema = catalog.quote(row.namespace);
    const object = makeObject({
      kind: "operator",
      classId: CLASS.operator,
      oid: row.oid,
      namespace: row.namespace,
      name: row.name,
      // Prefix operators come before those with two operands.
      key: [row.kind === "l" ? 0 : 1, ...(row.leftType ?? []), ...row.rightType],
      // An operator that others only named has no function yet.
      render: () =>
        row.code === "-" ? [] : [
          mainEntry(object, {
            desc: "OPERATOR",
            owner: row.owner,
            definition: `CREATE OPERATOR ${schema}.${row.name} (\n    ${options(row).join(",\n    ")}\n);\n`,
            drop: `DROP OPERATOR ${schema}.${signature};\n`,
          }),
          ...described(catalog, object, { type: "OPERATOR", name: signature, owner: row.owner }),
        ],
    });
    catalog.add(object);
  },
};

function options(row: Row): string[] {
  const values: [string, string | null][] = [
    ["FUNCTION", functionName(row.code)],
    ["LEFTARG", row.kind === "b" ? row.left : null],
    ["RIGHTARG", row.right],
    ["COMMUTATOR", row.commutator],
    ["NEGATOR", row.negator],
  ];
  const estimators: [string, string | null][] = [
    ["RESTRICT", functionName(row.restrict)],
    ["JOIN", functionName(row.join)],
  ];
  const written = (list: [string, string | null][]) =>
    list.filter(([, value]) => value !== null).map(([option, value]) => `${option} = ${value}`);
  return [
    ...written(values),
    ...(row.merges ? ["MERGES"] : []),
    ...(row.hashes ? ["HASHES"] : []),
    ...written(estimators),
  ];
}
