/** Dependencies of objects from pg_depend (pg_dump.c, getDependencies), columns counted as their tables. */
import { type Catalog, objectKey } from "./catalog.ts";
import { CLASS } from "./class_ids.ts";
import { type CatalogObject, type Kind, makeObject } from "./object.ts";
import { FIRST_USER_OID } from "./selection.ts";

export interface DependencyRow {
  /** Catalog, OID, catalog and OID of what it refers to, character code of the type of dependency. */
  edge: [classId: number, oid: number, referencedClassId: number, referencedOid: number, type: number];
}

/** Members of operator families are not objects of their own: what they depend on, their family depends on. */
export const DEPENDENCIES_SQL = `
  select array[d.classid::int8, d.objid::int8, d.refclassid::int8, d.refobjid::int8, ascii(d.deptype::text)] as edge
  from (
    select classid, objid, refclassid, refobjid, deptype
    from pg_depend
    where deptype <> 'p'
    union all
    select 'pg_opfamily'::regclass, o.amopfamily, d.refclassid, d.refobjid, d.deptype
    from pg_depend d join pg_amop o on d.classid = 'pg_amop'::regclass and d.objid = o.oid
    where d.deptype not in ('p', 'e', 'i') and not (d.refclassid = 'pg_opfamily'::regclass and d.refobjid = o.amopfamily)
    union all
    select 'pg_opfamily'::regclass, p.amprocfamily, d.refclassid, d.refobjid, d.deptype
    from pg_depend d join pg_amproc p on d.classid = 'pg_amproc'::regclass and d.objid = p.oid
    where d.deptype not in ('p', 'e', 'i') and not (d.refclassid = 'pg_opfamily'::regclass and d.refobjid = p.amprocfamily)
  ) d
  where d.objid >= ${FIRST_USER_OID}
  order by d.classid, d.objid`;

/** pg_depend.deptype, as character codes. */
const MEMBER = "e".charCodeAt(0);
const INTERNAL = "i".charCodeAt(0);
const MADE_DEPENDENT = "x".charCodeAt(0);

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
export function resolveEdges(rows: DependencyRow[], catalog: Catalog): void {
  const extensions = new Map<number, CatalogObject>();
  const references = new Map<number, DependencyRow["edge"][]>();
  for (const { edge } of rows) {
    const [classId, oid, referencedClassId, referencedOid, type] = edge;
    const key = objectKey(classId, oid);
    const list = references.get(key);
    if (type === MEMBER) {
      const extension = catalog.find(referencedClassId, referencedOid);
      if (extension) extensions.set(key, extension);
    } else if (list) list.push(edge);
    else references.set(key, [edge]);
  }
  for (const [key, extension] of extensions) catalog.findByKey(key)?.needs.unshift(extension);

  const find = (classId: number, oid: number): CatalogObject | undefined => {
    const known = catalog.find(classId, oid);
    if (known) return known;
    const extension = extensions.get(objectKey(classId, oid));
    const kind = CARRIERS.get(classId);
    if (
      kind === undefined || oid < FIRST_USER_OID || !extension && classId !== CLASS.type
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
      const [, , classId, oid, type] of references.get(objectKey(object.classId, object.oid)) ?? []
    ) {
      const referenced = find(classId, oid);
      if (!referenced) continue;
      if (type === MADE_DEPENDENT) dependOnExtension(catalog, object, referenced);
      // The relation behind a composite type belongs to the type, but the type's entry needs what its columns need.
      if (
        type === INTERNAL && object.kind === "table" && referenced.kind === "type"
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
