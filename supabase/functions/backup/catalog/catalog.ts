/** All that was read of a database's catalogs, and the names' quoting. */
import type { Warning } from "../entry.ts";
import type { CatalogObject } from "./object.ts";

export interface Comment {
  /** Column number, or 0 for the object itself. */
  subId: number;
  text: string;
}

export interface SecurityLabel extends Comment {
  provider: string;
}

/** One number for catalog and OID: both are 32 bits wide, catalogs' OIDs are small. */
export function objectKey(classId: number, oid: number): number {
  return classId * 2 ** 32 + oid;
}

export interface ColumnGrant {
  name: string;
  items: string[];
  base: string[];
}

export interface SequenceValue {
  /** The last value, as text: it may be larger than a number holds. */
  last: string;
  called: boolean;
}

/** What must be known before the first object is read. */
export interface Facts {
  /** server_version_num. */
  version: number;
  /** Key words that a name must not be without quotes. */
  reserved: ReadonlySet<string>;
  superuser: boolean;
}

export class Catalog {
  readonly facts: Facts;
  /** In the order of reading, which is pg_dump's: it decides which of several loops is found first. */
  readonly objects: CatalogObject[] = [];
  /** By objectKey(); a list is ordered by column. */
  readonly comments: Map<number, Comment[]> = new Map();
  readonly labels: Map<number, SecurityLabel[]> = new Map();
  /** Extensions an object was made dependent on (`alter … depends on extension`), by objectKey(). */
  readonly dependsOnExtensions: Map<number, string[]> = new Map();
  /** Grants on columns, by OID of their relation. */
  readonly columnGrants: Map<number, ColumnGrant[]> = new Map();
  /** What sequences had come to, by OID. */
  readonly sequenceValues: Map<number, SequenceValue> = new Map();
  /** TABLE DATA objects by OID of their table. */
  readonly tableData: Map<number, CatalogObject> = new Map();
  /** Names of columns whose parent's default is hidden by null, by OID of their table. */
  readonly hiddenDefaults: Map<number, Set<string>> = new Map();
  /** Refreshes of materialized views by the view's OID. */
  readonly refreshes: Map<number, CatalogObject> = new Map();
  /** What attaches an index's partitions to it, by its OID. */
  readonly indexAttachments: Map<number, { attachment: CatalogObject; index: number }[]> = new Map();
  /** Large objects that are dumped, by OID. */
  readonly largeObjects: { oid: number; bytes: number }[] = [];
  /** OIDs of tables whose rows may not be read and are left out. */
  readonly unreadable: ReadonlySet<number>;
  readonly warnings: Warning[] = [];
  readonly #byKey = new Map<number, CatalogObject>();
  readonly #quoted = new Map<string, string>();

  constructor(facts: Facts, unreadable: ReadonlySet<number> = new Set()) {
    this.facts = facts;
    this.unreadable = unreadable;
  }

  add(object: CatalogObject): void {
    if (typeof object.oid !== "number") {
      throw new TypeError(`${object.kind} ${object.name}: cast its oid to int8`);
    }
    this.objects.push(object);
    if (object.classId !== 0) {
      this.#byKey.set(objectKey(object.classId, object.oid), object);
    }
  }

  find(classId: number, oid: number): CatalogObject | undefined {
    return this.findByKey(objectKey(classId, oid));
  }

  findByKey(key: number): CatalogObject | undefined {
    return this.#byKey.get(key);
  }

  /** A name as SQL wants it: in quotes where it must be (ruleutils.c, quote_identifier). */
  quote(name: string): string {
    let quoted = this.#quoted.get(name);
    if (quoted === undefined) {
      const plain = /^[a-z_][a-z0-9_]*$/.test(name) &&
        !this.facts.reserved.has(name);
      quoted = plain ? name : `"${name.replaceAll('"', '""')}"`;
      this.#quoted.set(name, quoted);
    }
    return quoted;
  }

  /** `schema.name`, quoted; the name alone where there is no schema. */
  qualified({ namespace, name }: { namespace: string | null; name: string }): string {
    return namespace === null ? this.quote(name) : `${this.quote(namespace)}.${this.quote(name)}`;
  }
}

/** A string constant under standard_conforming_strings, which every archive sets: only quotes are doubled. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * The same in the form that does not depend on that setting, where pg_dump takes it (string_utils.c,
 * appendStringLiteralConn).
 */
export function escapedLiteral(text: string): string {
  return text.includes("\\") ? `E${literal(text.replaceAll("\\", "\\\\"))}` : literal(text);
}

/** A string constant in dollar quotes that the text does not hold (string_utils.c, appendStringLiteralDQ). */
export function dollarQuoted(text: string): string {
  const suffixes = "_XXXXXXX";
  let delimiter = "$";
  for (let next = 0; text.includes(delimiter); next++) delimiter += suffixes[next % suffixes.length];
  return `${delimiter}$${text}${delimiter}$`;
}
