/** Large objects: an entry each, and one entry for what all of them hold (pg_dump.c, getBlobs, dumpBlob, dumpBlobs). */
import { described, granted, type Privileges } from "./attachments.ts";
import type { Catalog } from "./catalog.ts";
import { CLASS } from "./class_ids.ts";
import type { Family } from "./family.ts";
import { attachedEntry, type CatalogObject, mainEntry, makeObject } from "./object.ts";
import { privileges } from "./selection.ts";

interface Row extends Privileges {
  oid: number;
  owner: string;
  /** Null where this role may not read it. */
  bytes: number | null;
}

/** Whether this role may read the large object of the row `m` of pg_largeobject_metadata. */
const READABLE = `(current_setting('is_superuser') = 'on' or current_setting('lo_compat_privileges') = 'on'
  or pg_has_role(m.lomowner, 'usage')
  or exists (select from aclexplode(m.lomacl) g
    where g.privilege_type = 'SELECT' and (g.grantee = 0 or pg_has_role(g.grantee, 'usage'))))`;

/**
 * A query's FROM item `m`: large objects with their size, null where this role may not read them. Each one is opened for its
 * size, because pg_largeobject itself is closed to all but superusers; each step needs the one before, or would come too early.
 */
export const LARGE_OBJECTS_SQL = `(
  select m.*, s.bytes
  from pg_largeobject_metadata m
  cross join lateral (select case when ${READABLE} then lo_open(m.oid, x'40000'::int) end as descriptor offset 0) o
  cross join lateral (select lo_lseek64(o.descriptor, 0, 2) as bytes offset 0) s
  cross join lateral (select case when s.bytes >= 0 then lo_close(o.descriptor) end as closed offset 0) c
  where c.closed is null or c.closed = 0
) as m`;

export const largeObjects: Family<Row> = {
  name: "large objects",
  query: () => `
    select m.oid::int8, pg_get_userbyid(m.lomowner) as owner, m.bytes,
      ${
    privileges({
      catalog: "pg_largeobject",
      oid: "m.oid",
      acl: "m.lomacl",
      owner: "m.lomowner",
      aclKind: "'L'",
    })
  }
    from ${LARGE_OBJECTS_SQL}
    order by m.oid`,
  read(row, catalog) {
    const name = String(row.oid);
    if (row.bytes === null) {
      catalog.warnings.push({
        code: "no_privilege",
        object: `large object ${name}`,
        message: "This role may not read it: it is left out.",
      });
      return;
    }
    const what = { type: "LARGE OBJECT", name, owner: row.owner };
    const object = makeObject({
      ...{ kind: "large object", classId: CLASS.largeObject, oid: row.oid, name },
      render: () => [
        mainEntry(object, {
          desc: "BLOB",
          owner: row.owner,
          definition: `SELECT pg_catalog.lo_create('${name}');\n`,
          drop: `SELECT pg_catalog.lo_unlink('${name}');\n`,
        }),
        ...described(catalog, object, what),
        ...granted(catalog, object, what, row),
      ],
    });
    catalog.add(object);
    if (catalog.largeObjects.length === 0) addContent(catalog);
    catalog.largeObjects.push({ oid: row.oid, bytes: row.bytes });
  },
};

/** The one entry for the bytes of them all. */
function addContent(catalog: Catalog): void {
  const data: CatalogObject = makeObject({
    kind: "large object data",
    name: "BLOBS",
    render: () => [attachedEntry(data, {
      desc: "BLOBS",
      tag: "BLOBS",
      section: "data",
      definition: null,
      needs: [],
      data: {
        ...{ oid: 0, schema: "pg_catalog", name: "pg_largeobject_metadata", qualifiedName: "large objects" },
        ...{ columnList: "", filter: "", sliceable: false, pages: 0, toastBytes: 0 },
        heapBytes: catalog.largeObjects.reduce((sum, { bytes }) => sum + bytes, 0),
        estimatedRows: catalog.largeObjects.length,
        objects: catalog.largeObjects,
      },
    })],
  });
  catalog.add(data);
}
