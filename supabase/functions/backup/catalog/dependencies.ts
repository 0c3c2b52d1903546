/** Dependencies of objects from pg_depend (pg_dump.c, getDependencies), columns counted as their tables. */
import { type Catalog, objectKey } from "./catalog.ts";
import { CLASS } from "./class_ids.ts";
import { type CatalogObject, type Kind, makeObject } from "./object.ts";
import type { Session } from "../postgres/session.ts";
import { eachJsonRow } from "./query_json.ts";
import { FIRST_USER_OID } from "./selection.ts";

/** Catalog, OID, catalog and OID of what it refers to, character code of the type of dependency. */
type Edge = [classId: number, oid: number, referencedClassId: number, referencedOid: number, type: number];

/**
 * One after another, in one array: there are more of them than of anything else. Those of one object follow each other.
 */
export type Edges = readonly number[];

const EDGE_NUMBERS = 5;

/**
 * Members of operator families are not objects of their own: what they depend on, their family depends on. pg_dump
 * finds the extensions that an object was made to depend on as they lie in the table, which is the order they were
 * named in.
 */
const DEPENDENCIES_SQL = `
  select array[d.classid::int8, d.objid::int8, d.refclassid::int8, d.refobjid::int8, ascii(d.deptype::text)] as edge
  from (
    select classid, objid, refclassid, refobjid, deptype, case when deptype = 'x' then ctid end as place
    from pg_depend
    where deptype <> 'p'
    union all
    select 'pg_opfamily'::regclass, o.amopfamily, d.refclassid, d.refobjid, d.deptype, null
    from pg_depend d join pg_amop o on d.classid = 'pg_amop'::regclass and d.objid = o.oid
    where d.deptype not in ('p', 'e', 'i') and not (d.refclassid = 'pg_opfamily'::regclass and d.refobjid = o.amopfamily)
    union all
    select 'pg_opfamily'::regclass, p.amprocfamily, d.refclassid, d.refobjid, d.deptype, null
    from pg_depend d join pg_amproc p on d.classid = 'pg_amproc'::regclass and d.objid = p.oid
    where d.deptype not in ('p', 'e', 'i') and not (d.refclassid = 'pg_opfamily'::regclass and d.refobjid = p.amprocfamily)
  ) d
  where d.objid >= ${FIRST_USER_OID}
  order by d.classid, d.objid, d.place`;

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

export async function readDependencies(session: Session): Promise<Edges> {
  const edges: number[] = [];
  await eachJsonRow<{ edge: Edge }>(session, DEPENDENCIES_SQL, ({ edge }) => {
    for (const number of edge) edges.push(number);
  });
  return edges;
}

/** Adds to each object's `needs` what pg_depend says; adds objects for what stands between two others. */
export function resolveDependencies(edges: Edges, catalog: Catalog): void {
  const extensions = new Map<number, CatalogObject>();
  /** Where the edges of an object begin. */
  const begins = new Map<number, number>();
  let last = 0;
  for (let at = 0; at < edges.length; at += EDGE_NUMBERS) {
    const key = objectKey(edges[at]!, edges[at + 1]!);
    if (key !== last) begins.set(last = key, at);
    if (edges[at + 4] !== MEMBER) continue;
    const extension = catalog.find(edges[at + 2]!, edges[at + 3]!);
    if (extension) extensions.set(key, extension);
  }
  for (const [key, extension] of extensions) catalog.findByKey(key)?.needs.unshift(extension);

  const find = (classId: number, oid: number): CatalogObject | undefined => {
    const known = catalog.find(classId, oid);
    if (known) return known;
    const extension = extensions.get(objectKey(classId, oid));
    const kind = CARRIERS.get(classId);
    if (kind === undefined || oid < FIRST_USER_OID || !extension && classId !== CLASS.type) return undefined;
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
    const begin = begins.get(objectKey(object.classId, object.oid)) ?? edges.length;
    for (let at = begin; edges[at] === object.classId && edges[at + 1] === object.oid; at += EDGE_NUMBERS) {
      const type = edges[at + 4];
      if (type === MEMBER) continue;
      const referenced = find(edges[at + 2]!, edges[at + 3]!);
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

function dependOnExtension(catalog: Catalog, object: CatalogObject, extension: CatalogObject): void {
  const key = objectKey(object.classId, object.oid);
  const names = catalog.dependsOnExtensions.get(key);
  if (names) names.push(extension.name);
  else catalog.dependsOnExtensions.set(key, [extension.name]);
}
