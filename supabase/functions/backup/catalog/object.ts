/** One object of the database as the table of contents needs it: where it sorts, what it needs, how it is written. */
import type { Entry } from "../toc/entry.ts";

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
  "text search parser",
  "text search dictionary",
  "text search template",
  "text search configuration",
  "foreign data wrapper",
  "foreign server",
  "default acl",
  "transform",
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
 * What a repaired loop makes of an object:
 * `inline` a part written inside of its whole (default, check, rule of a view) · `dummy` a view written with null columns first ·
 * `postponed` a function or materialized view moved after the data · `omitted` not written at all.
 */
export type Form = "normal" | "inline" | "dummy" | "postponed" | "omitted";

/** An entry without its number. Its dependencies are the object's, unless `needs` says otherwise. */
export interface Draft extends Omit<Entry, "dumpId" | "dependencies" | "hasData"> {
  /** `object`: depends on the object it belongs to · a draft: on the object and on that draft · `nothing`. */
  needs?: "nothing" | "object" | Draft | { instead: CatalogObject };
  hasData?: boolean;
  /** True for the entry that stands for the object itself; the others (comments, grants) follow it. */
  main?: boolean;
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
  /** The whole that this object is a part of: of a default or check its table or domain, of a view's rule the view, of a partition's index the parent's. */
  readonly whole: CatalogObject | null;
  /** The type's shell, for types that a function of theirs needs before they are complete. */
  readonly shell: CatalogObject | null;
  /** Objects that must come before it; pg_depend's are added later. */
  readonly needs: CatalogObject[];
  form: Form;
  /** Called once when the order is known: its entries in archive order, the main one first; none when there is nothing to write. */
  render(): Draft[];
}

/** Makes an object from what differs from the usual. */
export function makeObject(
  parts:
    & Pick<CatalogObject, "kind" | "name">
    & Partial<Omit<CatalogObject, "kind" | "name">>,
): CatalogObject {
  return {
    classId: 0,
    oid: 0,
    namespace: null,
    key: [],
    relkind: "",
    whole: null,
    shell: null,
    needs: [],
    form: "normal",
    render: () => [],
    ...parts,
  };
}

/** Makes the main entry of an object from what differs from the usual: no owner, no tablespace, before the data. */
export function mainEntry(
  object: CatalogObject,
  parts: Pick<Draft, "desc"> & Partial<Draft>,
): Draft {
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
