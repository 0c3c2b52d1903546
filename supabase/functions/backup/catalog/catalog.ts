/** All that was read of a database's catalogs, and the names' quoting. */
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

export class Catalog {
  readonly objects: CatalogObject[] = [];
  /** By objectKey(); a list is ordered by column. */
  readonly comments: Map<number, Comment[]> = new Map();
  readonly labels: Map<number, SecurityLabel[]> = new Map();
  /** Extensions an object was made dependent on (`alter … depends on extension`), by objectKey(). */
  readonly dependsOnExtensions: Map<number, string[]> = new Map();
  readonly version: number;
  readonly #reserved: ReadonlySet<string>;
  readonly #byKey = new Map<number, CatalogObject>();
  readonly #quoted = new Map<string, string>();

  /** `reserved` are the key words that a name must not be without quotes; `version` is server_version_num. */
  constructor(version: number, reserved: ReadonlySet<string>) {
    this.version = version;
    this.#reserved = reserved;
  }

  add(object: CatalogObject): void {
    this.objects.push(object);
    if (object.classId !== 0) this.#byKey.set(objectKey(object.classId, object.oid), object);
  }

  find(classId: number, oid: number): CatalogObject | undefined {
    return this.#byKey.get(objectKey(classId, oid));
  }

  /** A name as SQL wants it: in quotes where it must be (ruleutils.c, quote_identifier). */
  quote(name: string): string {
    let quoted = this.#quoted.get(name);
    if (quoted === undefined) {
      const plain = /^[a-z_][a-z0-9_]*$/.test(name) && !this.#reserved.has(name);
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
