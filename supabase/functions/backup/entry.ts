/** The shapes of a dump that stages share: its table of contents and the tables whose rows it holds. */

/** Sections of an archive, in pg_restore's sense. `none` takes the section of the entry before it. */
export type Section = "none" | "pre-data" | "data" | "post-data";

/**
 * One entry of the table of contents (pg_backup_archiver.h, struct _tocEntry).
 * Names in `tag` and `namespace` are raw, not quoted; `null` and `""` differ (see each field).
 */
export interface Entry {
  /** Unique and positive; need not be dense. */
  dumpId: number;
  /** OID of the catalog the object is in; 0 for synthetic entries. */
  tableoid: number;
  /** OID of the object; 0 for synthetic entries. */
  oid: number;
  tag: string;
  /** Object type in pg_dump's words: `TABLE`, `FK CONSTRAINT`, `TABLE DATA`, … */
  desc: string;
  section: Section;
  /** SQL that creates the object; `null` when there is none. */
  definition: string | null;
  /** SQL that drops the object; `null` when there is none. */
  drop: string | null;
  /** `COPY … FROM stdin;` of a TABLE DATA entry. */
  copy: string | null;
  namespace: string | null;
  /** `""` is the default tablespace, `null` an object that has none. */
  tablespace: string | null;
  /** Table access method of tables and materialized views. */
  tableam: string | null;
  /** `""` or `null` for an object without an owner. */
  owner: string | null;
  /** Dump ids this entry needs. Ids that are not in the archive are allowed. */
  dependencies: number[];
  /** True when a data block with this dump id follows the table of contents. */
  hasData: boolean;
  /** Archives from 1.16 on only: a partitioned table, whose access method is set by a statement of its own. */
  partitioned?: boolean;
}

/**
 * Kinds of entries that pg_dump does not have, for what it leaves out. pg_restore passes over them in silence: they
 * define nothing and say that they have no data (pg_backup_archiver.c, _tocEntryRequired). Only our own restore reads
 * them.
 */
export const EXTENSION_DATA = "EXTENSION DATA";
export const EXTENSION_SEQUENCE = "EXTENSION SEQUENCE SET";
/** The server's roles, as JSON in the place of a COPY statement. */
export const ROLES = "ROLES";

/** Returns whether pg_restore passes over the entry. */
export function isBeyondPgDump({ desc }: Pick<Entry, "desc">): boolean {
  return desc === EXTENSION_DATA || desc === EXTENSION_SEQUENCE || desc === ROLES;
}

/** A table whose rows go into the archive; one for each TABLE DATA entry, and one for BLOBS, in the same order. */
export interface TableData {
  dumpId: number;
  oid: number;
  schema: string;
  name: string;
  /** Named where its rows cannot be read. */
  owner: string;
  /** `"schema"."name"`, quoted where needed: what follows COPY and LOCK TABLE. */
  qualifiedName: string;
  /** `(a, b)` as pg_dump writes it, or `""` for a table without columns. */
  columnList: string;
  /** The extension that the table is a member of, where its rows are those of an EXTENSION DATA entry. */
  extension?: string;
  /**
   * Rows to take, for extension configuration tables and the like: `WHERE …`; of large objects a condition; else `""`.
   */
  filter: string;
  /** True when the relation is a heap that a ctid range can cut. */
  sliceable: boolean;
  /** The owner is not trusted: a query of the table, other than COPY of it all, needs a guard (slices/guard.ts). */
  guarded?: true;
  /** Pages of the heap as they are now (pg_relation_size / block size), not the statistics' guess. */
  pages: number;
  /** Bytes of the heap and of its TOAST table on disk. */
  heapBytes: number;
  toastBytes: number;
  /** Estimated rows (reltuples), or -1 when never analysed. */
  estimatedRows: number;
  /** The large objects of the BLOBS entry, by OID, in place of a table's rows. */
  objects?: readonly { oid: number; bytes: number }[];
}

/** Something the archive does not hold, told to the user in the log row. */
export interface Warning {
  /** Stable, lower case with underscores: `kind_not_covered`, `no_privilege`, … */
  code: string;
  /** The object in words: `text search parser public.p`. */
  object: string;
  message: string;
}

export interface ExtensionVersion {
  name: string;
  version: string;
}

/** All that is known of a database before its rows are read. */
export interface Dump {
  database: string;
  /** `server_version` as the server prints it, and as a number (150018). */
  serverVersion: string;
  serverVersionNum: number;
  /** Entries in archive order. */
  entries: Entry[];
  /** In the order of their TABLE DATA entries. */
  data: TableData[];
  extensions: ExtensionVersion[];
  warnings: Warning[];
}
