/** Objects with short names for tests of their order. */
import {
  attachedEntry,
  type CatalogObject,
  type Kind,
  mainEntry,
  makeObject,
} from "../../../supabase/functions/backup/catalog/object.ts";

type Parts = Partial<Omit<CatalogObject, "kind" | "name">>;

/** An object in schema `s` that renders one entry, its kind and name in capitals. */
export function object(kind: Kind, name: string, parts: Parts = {}): CatalogObject {
  const made: CatalogObject = makeObject({
    kind,
    name,
    namespace: "s",
    render: () => made.form === "inline" ? [] : [mainEntry(made, { desc: kind.toUpperCase() })],
    ...parts,
  });
  return made;
}

/** `left` depends on `right`, or each on the other. */
export function need(left: CatalogObject, ...right: CatalogObject[]): void {
  left.needs.push(...right);
}

/** The names of objects, boundaries as `|`. */
export function names(objects: readonly CatalogObject[]): string {
  return objects.map(({ kind, name }) => kind.endsWith("boundary") ? "|" : name).join(" ");
}

export { attachedEntry, mainEntry };
