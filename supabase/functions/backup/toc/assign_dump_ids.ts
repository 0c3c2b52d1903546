/** Turns ordered objects into entries: assigns dump ids and dependencies. */
import { attachedEntry, type CatalogObject, type Draft, makeObject, nothing } from "../catalog/object.ts";
import type { Entry, TableData } from "../entry.ts";

/** Entries that tell pg_restore how to read the others. */
export function heading(encoding: string): Draft[] {
  const settings = [
    ["ENCODING", `SET client_encoding = '${encoding}';\n`],
    ["STDSTRINGS", "SET standard_conforming_strings = 'on';\n"],
    ["SEARCHPATH", "SELECT pg_catalog.set_config('search_path', '', false);\n"],
  ];
  const none = makeObject({ kind: "schema", name: "" });
  return settings.map(([desc, definition]) =>
    attachedEntry(none, { desc: desc!, tag: desc!, definition: definition!, section: "pre-data", needs: [] })
  );
}

/** Renders objects in their order and numbers the entries from 1. `before` are entries without an object. */
export function assignDumpIds(
  before: readonly Draft[],
  order: readonly CatalogObject[],
): { entries: Entry[]; data: TableData[] } {
  const numbering = new Numbering();
  numbering.add(null, before);
  for (const object of order) {
    numbering.add(object, object.render());
    // Its source is no longer needed: in large databases that is most of the memory.
    object.render = nothing;
  }
  return numbering;
}

/** Field by field: there are many, and a copy with rest and spread takes twice the time and memory. */
function makeEntry(draft: Draft, dumpId: number, dependencies: number[]): Entry {
  const entry: Entry = {
    dumpId,
    tableoid: draft.tableoid,
    oid: draft.oid,
    tag: draft.tag,
    desc: draft.desc,
    section: draft.section,
    definition: draft.definition,
    drop: draft.drop,
    copy: draft.copy,
    namespace: draft.namespace,
    tablespace: draft.tablespace,
    tableam: draft.tableam,
    owner: draft.owner,
    dependencies,
    hasData: draft.data !== undefined,
  };
  if (draft.partitioned) entry.partitioned = true;
  return entry;
}

class Numbering {
  readonly entries: Entry[] = [];
  readonly data: TableData[] = [];
  #last = 0;
  readonly #written = new Map<CatalogObject, number>();
  /** Ids of objects without an entry that entries name all the same: an extension's table whose grants were changed. */
  readonly #reserved = new Map<CatalogObject, number>();

  /** Adds the entries of an object, after those that it needs. */
  add(object: CatalogObject | null, drafts: readonly Draft[]): void {
    const ids = new Map<Draft, number>();
    for (const draft of drafts) {
      const dependencies = draft.needs?.map((needed) =>
        "main" in needed ? ids.get(needed)! : this.#idOf(needed)
      ) ?? (object ? this.#needsInArchive(object) : []);
      const dumpId = draft.main && object && this.#reserved.get(object) || ++this.#last;
      if (draft.main && object) this.#written.set(object, dumpId);
      ids.set(draft, dumpId);
      this.entries.push(makeEntry(draft, dumpId, dependencies));
      if (draft.data) this.data.push({ ...draft.data, dumpId });
    }
  }

  #idOf(object: CatalogObject): number {
    const written = this.#written.get(object) ?? this.#reserved.get(object);
    if (written !== undefined) return written;
    this.#reserved.set(object, ++this.#last);
    return this.#last;
  }

  /**
   * Returns what an object needs; an object without an entry is replaced by what it needs in turn (pg_dump.c,
   * findDumpableDependencies).
   */
  #needsInArchive(object: CatalogObject, found: number[] = []): number[] {
    if (object.kind === "pre-data boundary" || object.kind === "post-data boundary") return found;
    for (const needed of object.needs) {
      const id = this.#written.get(needed);
      if (id === undefined) this.#needsInArchive(needed, found);
      else if (!found.includes(id)) found.push(id);
    }
    return found;
  }
}
