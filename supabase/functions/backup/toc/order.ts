/** The order of a dump: by kind and name, rearranged only as far as dependencies ask (pg_dump_sort.c). */
import { type CatalogObject, type Kind, KINDS, makeObject } from "../catalog/object.ts";
import { type Boundaries, removeNeed, repairLoop } from "./loops.ts";

/**
 * Kinds in the order of an archive; those of one line are sorted among each other. Casts come early because views
 * that use a cast are recorded as depending on its function.
 */
const PRIORITIES: readonly (readonly Kind[])[] = [
  ["schema"],
  ["language"],
  ["collation"],
  ["transform"],
  ["extension"],
  ["type", "shell type"],
  ["cast"],
  ["function"],
  ["aggregate"],
  ["access method"],
  ["operator"],
  ["operator class", "operator family"],
  ["conversion"],
  ["text search parser"],
  ["text search template"],
  ["text search dictionary"],
  ["text search configuration"],
  ["foreign data wrapper"],
  ["foreign server"],
  ["table"],
  ["table attach"],
  ["dummy type"],
  ["default"],
  ["large object"],
  ["pre-data boundary"],
  ["table data"],
  ["sequence set"],
  ["large object data"],
  ["post-data boundary"],
  ["constraint"],
  ["index"],
  ["index attach"],
  ["statistics"],
  ["rule"],
  ["trigger"],
  ["fk constraint"],
  ["policy"],
  ["publication"],
  ["publication table"],
  ["publication schema"],
  ["subscription"],
  ["default acl"],
  ["event trigger"],
  ["materialized view refresh"],
];

const PRIORITY = new Map(
  PRIORITIES.flatMap((kinds, index) => kinds.map((kind) => [kind, index] as const)),
);
const PRE_DATA = PRIORITY.get("pre-data boundary")!;
const POST_DATA = PRIORITY.get("post-data boundary")!;
const KIND_NUMBER = new Map(KINDS.map((kind, index) => [kind, index]));

/**
 * Answers the objects in archive order, boundaries of the sections included. Loops of dependencies are repaired:
 * `needs` and `form` of objects in a loop change. `warn` hears of loops that were broken without a good way.
 */
export function orderObjects(
  objects: readonly CatalogObject[],
  warn: (message: string) => void,
): CatalogObject[] {
  const boundaries: Boundaries = {
    preData: makeObject({
      kind: "pre-data boundary",
      name: "PRE-DATA BOUNDARY",
    }),
    postData: makeObject({
      kind: "post-data boundary",
      name: "POST-DATA BOUNDARY",
    }),
  };
  for (const object of objects) separate(object, boundaries);
  boundaries.postData.needs.push(boundaries.preData);
  const inReadingOrder = [...objects, boundaries.preData, boundaries.postData];
  const sorted = inReadingOrder.toSorted(compare);
  for (;;) {
    const { order, stuck } = topologicalSort(sorted);
    if (stuck === null) return order;
    repairLoops(
      inReadingOrder.filter((object) => stuck.has(object)),
      (loop) => repairLoop(loop, boundaries, warn),
    );
  }
}

/**
 * Keeps an object in its section. What is written inside of its whole has no section of its own, and comes before the whole: that
 * ends most loops before they are looked for.
 */
function separate(object: CatalogObject, { preData, postData }: Boundaries): void {
  const priority = PRIORITY.get(object.kind)!;
  removeNeed(object, object);
  if (object.form === "inline" && object.whole) removeNeed(object, object.whole);
  if (priority < PRE_DATA) preData.needs.push(object);
  else if (priority < POST_DATA) {
    object.needs.push(preData);
    postData.needs.push(object);
  } else if (object.form !== "inline") object.needs.push(postData);
}

/** The order before dependencies: priority, schema (none is last), name, kind, then what the kind has beyond. */
export function compare(a: CatalogObject, b: CatalogObject): number {
  return PRIORITY.get(a.kind)! - PRIORITY.get(b.kind)! ||
    compareNamespaces(a.namespace, b.namespace) ||
    compareText(a.name, b.name) ||
    KIND_NUMBER.get(a.kind)! - KIND_NUMBER.get(b.kind)! ||
    compareKeys(a.key, b.key) ||
    a.oid - b.oid;
}

function compareNamespaces(a: string | null, b: string | null): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return compareText(a, b);
}

function compareKeys(a: CatalogObject["key"], b: CatalogObject["key"]): number {
  for (let index = 0; index < a.length && index < b.length; index++) {
    const [left, right] = [a[index]!, b[index]!];
    const difference = typeof left === "number" && typeof right === "number"
      ? left - right
      : compareText(String(left), String(right));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** As strcmp compares UTF-8: by code point. JavaScript's own order puts surrogates before U+E000. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const shorter = Math.min(a.length, b.length);
  let index = 0;
  while (index < shorter && a.charCodeAt(index) === b.charCodeAt(index)) {
    index++;
  }
  if (index === shorter) return a.length - b.length;
  return codePointRank(a.charCodeAt(index)) -
    codePointRank(b.charCodeAt(index));
}

function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

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
  return {
    order,
    stuck: new Set(objects.filter((_, place) => dependents[place]! > 0)),
  };
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
function repairLoops(stuck: readonly CatalogObject[], repair: (loop: CatalogObject[]) => void): void {
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
function findLoop(
  start: CatalogObject,
  done: ReadonlySet<CatalogObject>,
): CatalogObject[] | null {
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
