/** What follows an object's entry: its comment, its security labels, its grants. */
import { grantCommands } from "./acl.ts";
import { type Catalog, literal, objectKey, type SecurityLabel } from "./catalog.ts";
import { attachedEntry, type CatalogObject, type Draft } from "./object.ts";

/** The columns that selection.ts makes of an object's privileges. */
export interface Privileges {
  /** Null where there are none to dump. */
  acl: readonly string[] | null;
  base: readonly string[] | null;
}

export interface Described {
  /** The object's type in SQL: `TABLE`, `FUNCTION`, …; `TRIGGER t ON` for what is named through its table. */
  type: string;
  /** Its name as SQL wants it, without its schema. */
  name: string;
  /** "" for an object without an owner. */
  owner: string;
  /** In place of the object's own schema: null for what is named without one. */
  namespace?: string | null;
}

/** Comment and security labels of the object itself. */
export function described(catalog: Catalog, object: CatalogObject, what: Described): Draft[] {
  const key = objectKey(object.classId, object.oid);
  const comment = catalog.comments.get(key)?.find(({ subId }) => subId === 0);
  const labels = catalog.labels.get(key)?.filter(({ subId }) => subId === 0) ??
    [];
  return [
    ...(comment ? [commentEntry(catalog, object, what, comment.text)] : []),
    ...(labels.length > 0 ? [labelEntry(catalog, object, what, labels)] : []),
  ];
}

/** COMMENT entry of an object, or of a part of it that has no entry of its own. */
export function commentEntry(
  catalog: Catalog,
  object: CatalogObject,
  { type, name, owner, namespace = object.namespace }: Described,
  text: string,
): Draft {
  return attachedEntry(object, {
    desc: "COMMENT",
    tag: `${type} ${name}`,
    namespace,
    owner,
    definition: `COMMENT ON ${type} ${schemaPrefix(catalog, namespace)}${name} IS ${literal(text)};\n`,
  });
}

/** SECURITY LABEL entry with all labels of an object; those of its columns need `columnName`. */
export function labelEntry(
  catalog: Catalog,
  object: CatalogObject,
  { type, name, owner, namespace = object.namespace }: Described,
  labels: readonly SecurityLabel[],
  columnName: (subId: number) => string | undefined = () => undefined,
): Draft {
  const qualified = schemaPrefix(catalog, namespace) + name;
  const target = (subId: number) =>
    subId === 0 ? `${type} ${qualified}` : `COLUMN ${qualified}.${catalog.quote(columnName(subId) ?? "")}`;
  return attachedEntry(object, {
    desc: "SECURITY LABEL",
    tag: `${type} ${name}`,
    namespace,
    owner,
    definition: labels.map(({ provider, subId, text }) =>
      `SECURITY LABEL FOR ${catalog.quote(provider)} ON ${target(subId)} IS ${literal(text)};\n`
    ).join(""),
  });
}

/** ACL entry of an object, as a list of one or none. `type` is what stands after ON in GRANT. */
export function granted(
  catalog: Catalog,
  object: CatalogObject,
  { type, name, owner, namespace = object.namespace }: Described,
  { acl, base }: Privileges,
): Draft[] {
  if (acl === null) return [];
  const definition = grantCommands(catalog, {
    type,
    name: schemaPrefix(catalog, namespace) + name,
    items: acl,
    base: base ?? [],
    owner,
  });
  if (definition === "") return [];
  return [
    attachedEntry(object, {
      desc: "ACL",
      tag: `${type} ${name}`,
      namespace,
      owner,
      definition,
    }),
  ];
}

function schemaPrefix(catalog: Catalog, namespace: string | null): string {
  return namespace === null ? "" : `${catalog.quote(namespace)}.`;
}
