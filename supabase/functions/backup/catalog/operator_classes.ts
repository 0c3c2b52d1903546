/**
 * Operator classes and families (pg_dump.c, dumpOpclass, dumpOpfamily): a member is written with the one it was created
 * with.
 */
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
  owner: string;
  accessMethod: string;
  members: string[];
}

interface ClassRow extends Row {
  isDefault: boolean;
  type: string;
  /** `-` when keys are stored as the type itself. */
  storage: string;
  family: string;
  familySchema: string;
}

/**
 * `OPERATOR …` and `FUNCTION …` lines of what depends on the class or family, as an array. Those of one number come by
 * their types; pg_dump leaves them as they are found.
 */
function members(catalog: "pg_opclass" | "pg_opfamily", oid: string, family: string): string {
  const owned = (table: string) =>
    `join pg_depend d on d.classid = '${table}'::regclass and d.objid = m.oid
           and d.refclassid = '${catalog}'::regclass and d.refobjid = ${oid}`;
  return `array(
       select x.line from (
         select 1 as part, m.amopstrategy as number, array[m.amoplefttype, m.amoprighttype]::regtype[]::text as types,
           format('OPERATOR %s %s', m.amopstrategy, m.amopopr::regoperator)
           || coalesce((select format(' FOR ORDER BY %I.%I', sn.nspname, s.opfname)
             from pg_opfamily s join pg_namespace sn on sn.oid = s.opfnamespace where s.oid = m.amopsortfamily), '') as line
         from pg_amop m ${owned("pg_amop")}
         where m.amopfamily = ${family}
         union all
         select 2, m.amprocnum, array[m.amproclefttype, m.amprocrighttype]::regtype[]::text,
           format('FUNCTION %s (%s, %s) %s', m.amprocnum, m.amproclefttype::regtype, m.amprocrighttype::regtype, m.amproc::regprocedure)
         from pg_amproc m ${owned("pg_amproc")}
         where m.amprocfamily = ${family}
       ) x order by x.part, x.number, x.types)`;
}

export const operatorClasses: ObjectType<ClassRow> = {
  name: "operator classes",
  query: () => `
     select c.oid::int8, n.nspname as namespace, c.opcname as name, pg_get_userbyid(c.opcowner) as owner, am.amname as "accessMethod",
       c.opcdefault as "isDefault", c.opcintype::regtype as type, c.opckeytype::regtype as storage,
       f.opfname as family, fn.nspname as "familySchema", ${
    members("pg_opclass", "c.oid", "c.opcfamily")
  } as members
     from pg_opclass c join pg_namespace n on n.oid = c.opcnamespace join pg_am am on am.oid = c.opcmethod
     join pg_opfamily f on f.oid = c.opcfamily join pg_namespace fn on fn.oid = f.opfnamespace
     where ${isWhole("pg_opclass", "c.oid")}`,
  read(row, catalog) {
    const family = catalog.qualified({ namespace: row.familySchema, name: row.family });
    const items = [...(row.storage === "-" ? [] : [`STORAGE ${row.storage}`]), ...row.members];
    // Something has to stand after AS.
    if (items.length === 0) items.push(`STORAGE ${row.type}`);
    add(
      row,
      catalog,
      "operator class",
      CLASS.operatorClass,
      (name, accessMethod) =>
        `CREATE OPERATOR CLASS ${name}\n    ${
          row.isDefault ? "DEFAULT " : ""
        }FOR TYPE ${row.type} USING ${accessMethod} FAMILY ${family} AS\n    ${items.join(" ,\n    ")};\n`,
    );
  },
};

export const operatorFamilies: ObjectType<Row> = {
  name: "operator families",
  query: () => `
     select f.oid::int8, n.nspname as namespace, f.opfname as name, pg_get_userbyid(f.opfowner) as owner, am.amname as "accessMethod",
       ${members("pg_opfamily", "f.oid", "f.oid")} as members
     from pg_opfamily f join pg_namespace n on n.oid = f.opfnamespace join pg_am am on am.oid = f.opfmethod
     where ${isWhole("pg_opfamily", "f.oid")}`,
  read(row, catalog) {
    add(row, catalog, "operator family", CLASS.operatorFamily, (name, accessMethod) => {
      const creation = `CREATE OPERATOR FAMILY ${name} USING ${accessMethod};\n`;
      if (row.members.length === 0) return creation;
      return `${creation}ALTER OPERATOR FAMILY ${name} USING ${accessMethod} ADD\n    ${
        row.members.join(" ,\n    ")
      };\n`;
    });
  },
};

function add(
  row: Row,
  catalog: Catalog,
  kind: Kind,
  classId: number,
  creation: (name: string, accessMethod: string) => string,
): void {
  const desc = kind.toUpperCase();
  const accessMethod = catalog.quote(row.accessMethod);
  const object = makeObject({
    kind,
    classId,
    oid: row.oid,
    namespace: row.namespace,
    name: row.name,
    key: [row.accessMethod],
    render: () => [
      mainEntry(object, {
        desc,
        owner: row.owner,
        definition: creation(catalog.qualified(object), accessMethod),
        drop: `DROP ${desc} ${catalog.qualified(object)} USING ${accessMethod};\n`,
      }),
      ...described(catalog, object, {
        type: desc,
        name: `${catalog.quote(row.name)} USING ${accessMethod}`,
        owner: row.owner,
      }),
    ],
  });
  catalog.add(object);
}
