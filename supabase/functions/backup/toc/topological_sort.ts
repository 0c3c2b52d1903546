/** A topological sort that moves as little as possible (pg_dump_sort.c, TopoSort). */
import type { CatalogObject } from "../catalog/object.ts";

/** Objects in their order, each with the places of those that it needs: looked at again after each repair of a loop. */
export class DependencyGraph {
  readonly objects: readonly CatalogObject[];
  readonly needs: number[][];
  readonly #places: Map<CatalogObject, number>;

  constructor(objects: readonly CatalogObject[]) {
    this.objects = objects;
    this.#places = new Map(objects.map((object, index) => [object, index]));
    this.needs = objects.map((object) => this.#placesOfNeeds(object));
  }

  placeOf(object: CatalogObject): number {
    return this.#places.get(object)!;
  }

  /** Reads anew what an object needs. */
  update(object: CatalogObject): void {
    this.needs[this.placeOf(object)] = this.#placesOfNeeds(object);
  }

  #placesOfNeeds({ needs }: CatalogObject): number[] {
    const places: number[] = [];
    for (const needed of needs) {
      const place = this.#places.get(needed);
      if (place !== undefined) places.push(place);
    }
    return places;
  }
}

/**
 * Knuth's topological sort, from the end backwards: of the objects on which nothing left depends it always takes the
 * last in the given order, so that objects move only as far as they must. Returns null where there are loops.
 */
export function topologicalSort({ objects, needs }: DependencyGraph): CatalogObject[] | null {
  const dependents = new Int32Array(objects.length);
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
  return left === 0 ? order : null;
}

/** A heap of numbers, the largest first. */
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
