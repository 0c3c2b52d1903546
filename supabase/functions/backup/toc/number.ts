/** From ordered objects to entries: dump ids, and what each entry depends on. */
import { attachedEntry, type CatalogObject, type Draft, makeObject } from "../catalog/object.ts";
import type { Entry, TableData } from "./entry.ts";

/** Entries that tell pg_restore how to read the others. */
export function heading(): Draft[] {
  const settings = [
    ["ENCODING", "SET client_encoding = 'UTF8';\n"],
    ["STDSTRINGS", "SET standard_conforming_strings = 'on';\n"],
    ["SEARCHPATH", "SELECT pg_catalog.set_config('search_path', '', false);\n"],
  ];
  const none = makeObject({ kind: "schema", name: "" });
  return settings.map(([desc, definition]) =>
    attachedEntry(none, { desc: desc!, tag: desc!, definition: definition!, section: "pre-data", needs: [] })
  );
}

/** Renders objects in their order and numbers the entries from 1. `before` are entries that no object stands behind. */
export function numberEntries(
  before: readonly Draft[][],
  order: readonly CatalogObject[],
): { entries: Entry[]; data: TableData[] } {
  const ids = new Map<CatalogObject | Draft, number>();
  let last = 0;
  const idOf = (item: CatalogObject | Draft): number => {
    let id = ids.get(item);
    if (id === undefined) ids.set(item, id = ++last);
    return id;
  };

  const written = new Set<CatalogObject>();
  const drafts: { object: CatalogObject | null; draft: Draft }[] = before.flat()
    .map((draft) => ({ object: null, draft }));
  for (const object of order) {
    for (const draft of object.render()) {
      drafts.push({ object, draft });
      if (draft.main) written.add(object);
    }
  }
  // An entry may name an object that has none (the grants of an extension's table); its number must not be larger than all others.
  for (const { object, draft } of drafts) {
    for (const needed of draft.needs ?? []) idOf(needed);
    const id = idOf(draft.main && object ? object : draft);
    ids.set(draft, id);
  }

  const data: TableData[] = [];
  const entries = drafts.map(({ object, draft }): Entry => {
    const { main: _main, needs, data: rows, ...fields } = draft;
    const dumpId = ids.get(draft)!;
    if (rows) data.push({ ...rows, dumpId });
    const needed = needs ?? (object ? needsInArchive(object, written) : []);
    return { ...fields, dumpId, dependencies: [...needed].map(idOf), hasData: rows !== undefined };
  });
  return { entries, data };
}

/** What an object needs; in place of what has no entry, what that needs in turn (pg_dump.c, findDumpableDependencies). */
function needsInArchive(
  object: CatalogObject,
  written: ReadonlySet<CatalogObject>,
  found: Set<CatalogObject> = new Set(),
): Set<CatalogObject> {
  if (object.kind === "pre-data boundary" || object.kind === "post-data boundary") return found;
  for (const needed of object.needs) {
    if (written.has(needed)) found.add(needed);
    else needsInArchive(needed, written, found);
  }
  return found;
}
