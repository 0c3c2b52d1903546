/** One object of the database as the table of contents needs it: where it sorts, what it needs, how it is written. */
import type { Entry, TableData } from "../entry.ts";

/** Kinds of pg_dump.h (DumpableObjectType), in its order: it decides between objects of one priority and one name. */
export const KINDS = [
  "schema",
  "extension",
  "type",
  "shell type",
  "function",
  "aggregate",
  "operator",
  "access method",
  "operator class",
  "operator family",
  "collation",
  "conversion",
  "table",
  "table attach",
  "default",
  "index",
  "index attach",
  "statistics",
  "rule",
  "trigger",
  "constraint",
  "fk constraint",
  "language",
  "cast",
  "table data",
  "sequence set",
  "dummy type",
  "text search parser",
  "text search dictionary",
  "text search template",
  "text search configuration",
  "foreign data wrapper",
  "foreign server",
  "default acl",
  "transform",
  "large object",
  "large object group",
  "large object data",
  "pre-data boundary",
  "post-data boundary",
  "event trigger",
  "materialized view refresh",
  "policy",
  "publication",
  "publication table",
  "publication schema",
  "subscription",
] as const;
export type Kind = typeof KINDS[number];

/**
 * How an object is written; repairs of dependency loops change it. `normal` as an entry of its own · `inline` inside of
 * its whole (a default, a check, the rule of a view) · `dummy` a view with null columns first, its rule later ·
 * `postponed` a function or materialized view after the data · `omitted` a shell type that no function needs.
 */
export type Form = "normal" | "inline" | "dummy" | "postponed" | "omitted";

/** An entry without its number. */
export interface Draft extends Omit<Entry, "dumpId" | "dependencies" | "hasData"> {
  /** True for the entry that stands for the object: others depend on this one. */
  readonly main: boolean;
  /** What it depends on; without it, on what its object depends. */
  readonly needs?: readonly (CatalogObject | Draft)[];
  /** The table whose rows are the data block of this entry. */
  readonly data?: Omit<TableData, "dumpId">;
}

export interface CatalogObject {
  readonly kind: Kind;
  /** Catalog and OID; 0 for objects that no catalog knows. */
  readonly classId: number;
  readonly oid: number;
  /** Names as in the catalog, not quoted. */
  readonly namespace: string | null;
  readonly name: string;
  /** What tells objects with the same kind, namespace and name apart, in sort order. */
  readonly key: readonly (string | number)[];
  /** pg_class.relkind of relations; "" for others. */
  readonly relkind: string;
  /**
   * What this object is a part of: the table of a default, the table or domain of a check, the relation of a rule, the
   * parent's index of a partition's.
   */
  whole: CatalogObject | null;
  /** The type's shell, for types that a function of theirs needs before they are complete. */
  readonly shell: CatalogObject | null;
  /** Objects that must come before it; pg_depend's are added when all objects are known. */
  readonly needs: CatalogObject[];
  form: Form;
  /** Called once when the order is known: its entries in archive order; none when there is nothing to write. */
  render: () => Draft[];
}

/** Makes an object from what differs from the usual. */
export function makeObject(
  parts:
    & Pick<CatalogObject, "kind" | "name">
    & Partial<Omit<CatalogObject, "kind" | "name">>,
): CatalogObject {
  return {
    kind: parts.kind,
    classId: parts.classId ?? 0,
    oid: parts.oid ?? 0,
    namespace: parts.namespace ?? null,
    name: parts.name,
    key: parts.key ?? [],
    relkind: parts.relkind ?? "",
    whole: parts.whole ?? null,
    shell: parts.shell ?? null,
    needs: parts.needs ?? [],
    form: parts.form ?? "normal",
    render: parts.render ?? nothing,
  };
}

/** Renders an object that has no entry. */
export function nothing(): Draft[] {
  return [];
}

/** Makes the main entry of an object from what differs from the usual: no owner, no tablespace, before the data. */
export function mainEntry(object: CatalogObject, parts: Pick<Draft, "desc"> & Partial<Draft>): Draft {
  return {
    main: true,
    tableoid: object.classId,
    oid: object.oid,
    tag: object.name,
    namespace: object.namespace,
    section: "pre-data",
    definition: null,
    drop: null,
    copy: null,
    tablespace: null,
    tableam: null,
    owner: null,
    ...parts,
  };
}

/** Makes an entry that belongs to an object and follows it: a comment, grants, an ownership. */
export function attachedEntry(
  object: CatalogObject,
  parts: Pick<Draft, "desc" | "tag" | "definition"> & Partial<Draft>,
): Draft {
  return {
    main: false,
    tableoid: 0,
    oid: 0,
    namespace: object.namespace,
    section: "none",
    drop: null,
    copy: null,
    tablespace: null,
    tableam: null,
    owner: null,
    needs: [object],
    ...parts,
  };
}
