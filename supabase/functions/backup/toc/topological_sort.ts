/** Topological sort with as little moved as can be, and the loops that stand in its way (pg_dump_sort.c, TopoSort, findDependencyLoops). */
import type { CatalogObject } from "../catalog/object.ts";

/**
 * Knuth's topological sort, from the end backwards: of what nothing left depends on, always the last of the given
 * order is taken, so that objects move only as far as they must. `stuck` are the objects of loops and what they depend on.
 */
export function topologicalSort(
  objects: readonly CatalogObject[],
): { order: CatalogObject[]; stuck: ReadonlySet<CatalogObject> | null } {
  const places = new Map(objects.map((object, index) => [object, index]));
  const dependents = new Int32Array(objects.length);
  const needs = objects.map((object) =>
    object.needs.map((needed) => places.get(needed)).filter((place) => place !== undefined)
  );
  for (const list of needs) for (const place of list) dependents[place]!++;

  const ready = new MaxHeap(objects.length);
  for (let place = 0; place < objects.length; place++) {
    if (dependents[place] === 0) ready.push(place);
  }
  const order = new Array<CatalogObject>(objects.length);
  let left = objects.length;
  while (ready.size > 0) {
    const place = ready.pop();
    order[--left] = objects[place]!;
    for (const needed of needs[place]!) {
      if (--dependents[needed]! === 0) ready.push(needed);
    }
  }
  if (left === 0) return { order, stuck: null };
  return { order, stuck: new Set(objects.filter((_, place) => dependents[place]! > 0)) };
}

/** Numbers of which the largest comes out first. */
class MaxHeap {
  readonly #heap: Int32Array;
  size = 0;

  constructor(capacity: number) {
    this.#heap = new Int32Array(capacity);
  }

  push(value: number): void {
    const heap = this.#heap;
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]! >= value) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = value;
  }

  pop(): number {
    const heap = this.#heap;
    const largest = heap[0]!;
    const value = heap[--this.size]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.size) break;
      if (child + 1 < this.size && heap[child]! < heap[child + 1]!) child++;
      if (value >= heap[child]!) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = value;
    return largest;
  }
}

/** Hands loops that have no member in common to `repair`: the repair of one may have undone those that share a member. */
export function repairLoops(stuck: readonly CatalogObject[], repair: (loop: CatalogObject[]) => void): void {
  const done = new Set<CatalogObject>();
  let found = false;
  for (const start of stuck) {
    const loop = findLoop(start, done);
    if (loop) {
      found = true;
      repair(loop);
    }
    for (const member of loop ?? [start]) done.add(member);
  }
  if (!found) throw new Error("Objects depend on each other in a loop that was not found");
}

/** A way along `needs` from `start` back to it that avoids `done`: the members in order, or null. Depth first; a step to `start` itself wins. */
function findLoop(start: CatalogObject, done: ReadonlySet<CatalogObject>): CatalogObject[] | null {
  if (done.has(start)) return null;
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
    } else if (!visited.has(needed) && !done.has(needed)) {
      // A visited object is on the path or leads nowhere.
      visited.add(needed);
      path.push(needed);
      next.push(0);
    }
  }
  return null;
}
