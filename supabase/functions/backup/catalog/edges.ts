/** Dependencies of objects from pg_depend (pg_dump.c, getDependencies), columns counted as their tables. */
import { type Catalog, objectKey } from "./catalog.ts";
import { CLASS } from "./class_ids.ts";
import { type CatalogObject, type Kind, makeObject } from "./object.ts";

export interface DependencyRow {
  classId: number;
  oid: number;
  /** Triples: catalog, OID, type of dependency. */
  references: [number, number, string][];
}

export interface MemberRow {
  classId: number;
  oid: number;
  extension: number;
}

/**
 * One row an object. Members of operator families are not objects of their own: what they depend on, their family depends
 * on. The row and array types of tables matter only where something refers to them, which most tables' do not.
 */
export const DEPENDENCIES_SQL = `
  select d.classid::int8 as "classId", d.objid::int8 as oid,
    json_agg(json_build_array(d.refclassid::int8, d.refobjid::int8, d.deptype)) as references
  from (
    select classid, objid, refclassid, refobjid, deptype
    from pg_depend
    where deptype not in ('p', 'e')
    union all
    select 'pg_opfamily'::regclass, o.amopfamily, d.refclassid, d.refobjid, d.deptype
    from pg_depend d join pg_amop o on d.classid = 'pg_amop'::regclass and d.objid = o.oid
    where d.deptype not in ('p', 'e', 'i') and not (d.refclassid = 'pg_opfamily'::regclass and d.refobjid = o.amopfamily)
    union all
    select 'pg_opfamily'::regclass, p.amprocfamily, d.refclassid, d.refobjid, d.deptype
    from pg_depend d join pg_amproc p on d.classid = 'pg_amproc'::regclass and d.objid = p.oid
    where d.deptype not in ('p', 'e', 'i') and not (d.refclassid = 'pg_opfamily'::regclass and d.refobjid = p.amprocfamily)
  ) d
  where d.objid >= 16384
  group by d.classid, d.objid`;

export const MEMBERS_SQL = `
  select classid::int8 as "classId", objid::int8 as oid, refobjid::int8 as extension
  from pg_depend
  where deptype = 'e' and refclassid = 'pg_extension'::regclass`;

/** Kinds of extensions' members and of types that have no entry: they carry dependencies from one object to another. */
const CARRIERS: ReadonlyMap<number, Kind> = new Map([
  [CLASS.type, "type"],
  [CLASS.procedure, "function"],
  [CLASS.relation, "table"],
  [CLASS.operator, "operator"],
  [CLASS.accessMethod, "access method"],
  [CLASS.operatorClass, "operator class"],
  [CLASS.operatorFamily, "operator family"],
  [CLASS.collation, "collation"],
  [CLASS.conversion, "conversion"],
  [CLASS.language, "language"],
  [CLASS.cast, "cast"],
  [CLASS.transform, "transform"],
  [CLASS.textSearchParser, "text search parser"],
  [CLASS.textSearchDictionary, "text search dictionary"],
  [CLASS.textSearchTemplate, "text search template"],
  [CLASS.textSearchConfiguration, "text search configuration"],
  [CLASS.foreignDataWrapper, "foreign data wrapper"],
  [CLASS.foreignServer, "foreign server"],
]);

/** Adds to each object's `needs` what pg_depend says; adds objects for what stands between two others. */
export function resolveEdges(
  catalog: Catalog,
  rows: DependencyRow[],
  members: MemberRow[],
): void {
  const extensions = new Map<number, CatalogObject>();
  for (const { classId, oid, extension } of members) {
    const object = catalog.find(CLASS.extension, extension);
    if (!object) continue;
    extensions.set(objectKey(classId, oid), object);
    catalog.find(classId, oid)?.needs.unshift(object);
  }
  const references = new Map<number, DependencyRow["references"]>();
  for (const row of rows) {
    references.set(objectKey(row.classId, row.oid), row.references);
  }

  const find = (classId: number, oid: number): CatalogObject | undefined => {
    const known = catalog.find(classId, oid);
    if (known) return known;
    const extension = extensions.get(objectKey(classId, oid));
    const kind = CARRIERS.get(classId);
    if (
      kind === undefined || oid < 16384 || !extension && classId !== CLASS.type
    ) return undefined;
    const carrier = makeObject({
      kind: extension ? kind : "dummy type",
      classId,
      oid,
      name: "",
      needs: extension ? [extension] : [],
    });
    catalog.add(carrier);
    return carrier;
  };

  // Carriers are appended while this runs, and are visited in their turn.
  for (const object of catalog.objects) {
    if (object.classId === 0) continue;
    for (
      const [classId, oid, type] of references.get(objectKey(object.classId, object.oid)) ?? []
    ) {
      const referenced = find(classId, oid);
      if (!referenced) continue;
      if (type === "x") dependOnExtension(catalog, object, referenced);
      // The relation behind a composite type belongs to the type, but the type's entry needs what its columns need.
      if (
        type === "i" && object.kind === "table" && referenced.kind === "type"
      ) referenced.needs.push(object);
      else object.needs.push(referenced);
    }
  }
}

function dependOnExtension(
  catalog: Catalog,
  object: CatalogObject,
  extension: CatalogObject,
): void {
  const key = objectKey(object.classId, object.oid);
  const names = catalog.dependsOnExtensions.get(key);
  if (names) names.push(extension.name);
  else catalog.dependsOnExtensions.set(key, [extension.name]);
}
