/** Finds loops of dependencies (pg_dump_sort.c, findDependencyLoops), without a look at what is on none. */
import type { CatalogObject } from "../catalog/object.ts";
import type { DependencyGraph } from "./topological_sort.ts";

/**
 * Hands loops to `repair` until there are none. Those of one pass have no member in common: the repair of one may have
 * undone those that share a member. `inReadingOrder` says which of several loops is found first. Returns whether there
 * were any.
 */
export function repairLoops(
  graph: DependencyGraph,
  inReadingOrder: readonly CatalogObject[],
  repair: (loop: CatalogObject[]) => void,
): boolean {
  const places = inReadingOrder.map((object) => graph.placeOf(object));
  for (let passes = 0;; passes++) {
    const knots = findKnots(graph.needs);
    const knotOf = (object: CatalogObject) => knots[graph.placeOf(object)]!;
    const tied = inReadingOrder.filter((_, index) => knots[places[index]!]! > 0);
    if (tied.length === 0) return passes > 0;
    const done = new Set<CatalogObject>();
    for (const start of tied) {
      const loop = findLoop(start, (object) => knotOf(object) === knotOf(start) && !done.has(object));
      if (loop) {
        repair(loop);
        for (const member of loop) graph.update(member);
      }
      for (const member of loop ?? [start]) done.add(member);
    }
  }
}

/**
 * Returns for each place the number of the knot it is in: places of one knot all lead to each other; 0 for those on no
 * loop (Tarjan's strongly connected components).
 */
function findKnots(needs: readonly (readonly number[])[]): Int32Array {
  /** When a place was first seen, from 1 on, and the first seen of those that it leads to and that are undecided. */
  const seen = new Int32Array(needs.length);
  const lowest = new Int32Array(needs.length);
  const undecided: number[] = [];
  const isUndecided = new Uint8Array(needs.length);
  const next = new Int32Array(needs.length);
  const knots = new Int32Array(needs.length);
  const path: number[] = [];
  let [count, lastKnot] = [0, 0];
  for (let root = 0; root < needs.length; root++) {
    if (seen[root] === 0) path.push(root);
    while (path.length > 0) {
      const place = path.at(-1)!;
      if (seen[place] === 0) {
        seen[place] = lowest[place] = ++count;
        undecided.push(place);
        isUndecided[place] = 1;
      }
      const needed = needs[place]![next[place]!++];
      if (needed !== undefined) {
        if (seen[needed] === 0) path.push(needed);
        else if (isUndecided[needed] === 1) lowest[place] = Math.min(lowest[place]!, seen[needed]!);
        continue;
      }
      path.pop();
      const before = path.at(-1);
      if (before !== undefined) lowest[before] = Math.min(lowest[before]!, lowest[place]!);
      if (lowest[place] !== seen[place]) continue;
      const knot = undecided.at(-1) === place ? 0 : ++lastKnot;
      for (let member = -1; member !== place;) {
        member = undecided.pop()!;
        isUndecided[member] = 0;
        knots[member] = knot;
      }
    }
  }
  return knots;
}

/**
 * Returns a way along `needs` from `start` back to it through objects that are `open`: the members in order, or null.
 * Depth first; a step to `start` itself wins.
 */
function findLoop(
  start: CatalogObject,
  isOpen: (object: CatalogObject) => boolean,
): CatalogObject[] | null {
  // Most have nowhere to go: each table's rows are between the boundaries, which many loops share.
  if (!isOpen(start) || !start.needs.some(isOpen)) return null;
  const visited = new Set([start]);
  const path = [start];
  const next = [0];
  while (path.length > 0) {
    const depth = path.length - 1;
    const { needs } = path[depth]!;
    if (next[depth] === 0 && needs.includes(start)) return path;
    const needed = needs[next[depth]!++];
    if (needed === undefined) {
      path.pop();
      next.pop();
    } else if (!visited.has(needed) && isOpen(needed)) {
      // A visited object is on the path or leads nowhere.
      visited.add(needed);
      path.push(needed);
      next.push(0);
    }
  }
  return null;
}
