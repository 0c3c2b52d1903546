/**
 * Large objects (pg_dump.c, getLOs, dumpLO, dumpLOs). Up to server 16 each has an entry, and one more entry holds the
 * bytes of all of them. From 17 on up to a thousand with the same owner and grants share an entry, and each such group
 * has an entry for its bytes.
 */
import { described, granted, type Privileges } from "./attachments.ts";
import type { Catalog } from "./catalog.ts";
import { CLASS } from "./class_ids.ts";
import type { ObjectType } from "./object_type.ts";
import { attachedEntry, type CatalogObject, type Draft, mainEntry, makeObject } from "./object.ts";
import { privileges } from "./selection.ts";

interface Row extends Privileges {
  /** The first of the group. */
  oid: number;
  owner: string;
  /** OID and size of each; the size is null where this role may not read them. */
  members: [number, number | null][];
  /** SQL that is true of the large objects `m` of this group and of others between its first and its last. */
  alike: string;
}

/** Whether this role may read the large object of the row `m` of pg_largeobject_metadata. */
const READABLE = `(current_setting('is_superuser') = 'on' or current_setting('lo_compat_privileges') = 'on'
  or pg_has_role(m.lomowner, 'usage')
  or exists (select from aclexplode(m.lomacl) g
    where g.privilege_type = 'SELECT' and (g.grantee = 0 or pg_has_role(g.grantee, 'usage'))))`;

/**
 * A query's FROM item `m`: large objects with their size, null where this role may not read them. Each one is opened
 * for its size, because pg_largeobject itself is closed to all but superusers; each step needs the one before, or would
 * come too early. Each step also names the OID: descriptors repeat, and a Memoize node would take one object's size for
 * the next one's.
 */
export const LARGE_OBJECTS_SQL = `(
  select m.*, s.bytes
  from pg_largeobject_metadata m
  cross join lateral (select case when ${READABLE} then lo_open(m.oid, x'40000'::int) end as descriptor offset 0) o
  cross join lateral (select lo_lseek64(o.descriptor, 0, 2) as bytes where m.oid is not null offset 0) s
  cross join lateral (select case when s.bytes >= 0 then lo_close(o.descriptor) end as closed where m.oid is not null offset 0) c
  where c.closed is null or c.closed = 0
) as m`;

const GROUPED_SINCE = 170000;
const MOST_IN_GROUP = 1000;

export const largeObjects: ObjectType<Row> = {
  name: "large objects",
  query: (version) => `
    select m.oid::int8, pg_get_userbyid(m.lomowner) as owner, m.members,
      format('m.lomowner = %s and m.lomacl::text is not distinct from %L', m.lomowner, m.lomacl::text) as alike,
      ${
    privileges({
      catalog: "pg_largeobject",
      oid: "m.oid",
      acl: "m.lomacl",
      owner: "m.lomowner",
      aclKind: "'L'",
    })
  }
    from (
      select min(l.oid) as oid, l.lomowner, l.acl::aclitem[] as lomacl, json_agg(json_build_array(l.oid::int8, l.bytes) order by l.oid) as members
      from (
        select m.*, m.lomacl::text as acl, (row_number() over (partition by m.lomowner, m.lomacl::text, m.bytes is null order by m.oid) - 1)
          / ${version >= GROUPED_SINCE ? MOST_IN_GROUP : 1} as part
        from ${LARGE_OBJECTS_SQL}
      ) l
      group by l.lomowner, l.acl, l.bytes is null, l.part
    ) m
    order by ${version >= GROUPED_SINCE ? "m.lomowner, m.lomacl::text, m.oid" : "m.oid"}`,
  read(row, catalog) {
    if (row.members[0]![1] === null) {
      for (const [oid] of row.members) {
        catalog.warnings.push({
          code: "no_privilege",
          object: `large object ${oid}`,
          message: "This role may not read it: it is left out.",
        });
      }
    } else if (catalog.facts.version >= GROUPED_SINCE) addGroup(row, catalog);
    else addSingle(row, catalog);
  },
};

function addSingle(row: Row, catalog: Catalog): void {
  const name = String(row.oid);
  const what = { type: "LARGE OBJECT", name, owner: row.owner };
  const object = makeObject({
    kind: "large object",
    classId: CLASS.largeObject,
    oid: row.oid,
    name,
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
  if (catalog.largeObjects.length === 0) {
    addContent(catalog, { name: "BLOBS", objects: catalog.largeObjects });
  }
  catalog.largeObjects.push({ oid: row.oid, bytes: row.members[0]![1]! });
}

function addGroup({ members, ...row }: Row, catalog: Catalog): void {
  const last = members.at(-1)![0];
  const name = members.length === 1 ? String(row.oid) : `${row.oid}..${last}`;
  const group: CatalogObject = makeObject({
    kind: "large object group",
    classId: CLASS.largeObject,
    oid: row.oid,
    name,
    render: (): Draft[] => [
      mainEntry(group, {
        desc: "BLOB METADATA",
        section: "data",
        owner: row.owner,
        definition: members.map(([oid]) => `${oid}\n`).join(""),
        drop: "-- dummy",
      }),
      ...members.flatMap(([oid]) =>
        described(catalog, { ...group, oid }, { type: "LARGE OBJECT", name: String(oid), owner: row.owner })
          .map((entry) => ({ ...entry, needs: [group] }))
      ),
      // A command for the first; pg_restore repeats it for each of the group.
      ...granted(catalog, group, { type: "LARGE OBJECT", name: String(row.oid), owner: row.owner }, row)
        .map((entry) => ({ ...entry, tag: `LARGE OBJECT${members.length === 1 ? "" : "S"} ${name}` })),
    ],
  });
  catalog.add(group);
  addContent(catalog, {
    name,
    owner: row.owner,
    needs: [group],
    filter: `${row.alike} and m.oid between ${row.oid} and ${last}`,
    objects: members.map(([oid, bytes]) => ({ oid, bytes: bytes! })),
  });
}

interface Content {
  name: string;
  owner?: string;
  needs?: CatalogObject[];
  /** Which large objects they are, in SQL; all without it. */
  filter?: string;
  /** May grow until the catalog is read. */
  objects: readonly { oid: number; bytes: number }[];
}

/** The entry for the bytes of large objects. */
function addContent(catalog: Catalog, { name, owner, needs = [], filter = "", objects }: Content): void {
  const data: CatalogObject = makeObject({
    kind: "large object data",
    name,
    needs: [...needs],
    render: () => [attachedEntry(data, {
      desc: "BLOBS",
      tag: name,
      section: "data",
      owner: owner ?? null,
      definition: null,
      needs,
      data: {
        oid: 0,
        schema: "pg_catalog",
        name: "pg_largeobject_metadata",
        owner: owner ?? "",
        qualifiedName: "large objects",
        columnList: "",
        filter,
        sliceable: false,
        pages: 0,
        toastBytes: 0,
        heapBytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
        estimatedRows: objects.length,
        objects,
      },
    })],
  });
  catalog.add(data);
}
