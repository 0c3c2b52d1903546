/** The order of a dump: by kind and name, rearranged only as far as dependencies require (pg_dump_sort.c). */
import { type CatalogObject, makeObject } from "../catalog/object.ts";
import { compare, sectionOf } from "./sort_order.ts";
import { type Boundaries, removeNeed, repairLoop } from "./break_cycles.ts";
import { repairLoops } from "./find_loops.ts";
import { DependencyGraph, topologicalSort } from "./topological_sort.ts";

/**
 * Returns the objects in archive order, with the boundaries of the sections. Loops of dependencies are repaired:
 * `needs` and `form` of objects in a loop change. `warn` gets loops that could not be resolved.
 */
export function orderObjects(
  objects: readonly CatalogObject[],
  warn: (message: string) => void,
): CatalogObject[] {
  const boundaries: Boundaries = {
    preData: makeObject({ kind: "pre-data boundary", name: "PRE-DATA BOUNDARY" }),
    postData: makeObject({ kind: "post-data boundary", name: "POST-DATA BOUNDARY" }),
  };
  for (const object of objects) separate(object, boundaries);
  boundaries.postData.needs.push(boundaries.preData);
  const inReadingOrder = [...objects, boundaries.preData, boundaries.postData];
  const graph = new DependencyGraph(inReadingOrder.toSorted(compare));
  for (;;) {
    const order = topologicalSort(graph);
    if (order !== null) return order;
    const repaired = repairLoops(graph, inReadingOrder, (loop) => repairLoop(loop, boundaries, warn));
    if (!repaired) throw new Error("Objects depend on each other in a loop that was not found");
  }
}

/**
 * Keeps an object in its section. What is written inside of its whole has no section of its own, and comes before the
 * whole: that ends most loops before they are looked for.
 */
function separate(object: CatalogObject, { preData, postData }: Boundaries): void {
  const section = sectionOf(object.kind);
  removeNeed(object, object);
  if (object.form === "inline" && object.whole) removeNeed(object, object.whole);
  if (section === "pre-data") preData.needs.push(object);
  else if (section === "data") {
    object.needs.push(preData);
    postData.needs.push(object);
  } else if (object.form !== "inline") object.needs.push(postData);
}
