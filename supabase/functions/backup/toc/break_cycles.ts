/** Breaks cycles of dependencies, each as pg_dump does it (pg_dump_sort.c, repairDependencyLoop). */
import type { CatalogObject } from "../catalog/object.ts";

/** The boundaries between the sections. */
export interface Boundaries {
  preData: CatalogObject;
  postData: CatalogObject;
}

type Loop = readonly CatalogObject[];

/** Repairs a loop of its kind; returns whether it was one. */
type Repair = (loop: Loop, boundaries: Boundaries) => boolean;

/**
 * In the order in which they are tried. Loops of a part and its whole alone never get here: a part that is written
 * inside of its whole does not need it (order.ts).
 */
const REPAIRS: readonly Repair[] = [
  typeAndFunction,
  viewWithinLoop,
  (loop, boundaries) => postpone(loop, boundaries, isRelation("m")),
  (loop, boundaries) => postpone(loop, boundaries, ({ kind }) => kind === "function"),
  (loop, { postData }) => takeOut(loop, "table", isCheck, postData),
  partitionedIndexes,
  (loop) => takeOut(loop, "table", isDefault, null),
  (loop, { postData }) => takeOut(loop, "type", isCheck, postData),
];

/** Removes or turns one dependency of the loop, whose members need each other in order, the last the first. */
export function repairLoop(loop: Loop, boundaries: Boundaries, warn: (message: string) => void): void {
  if (REPAIRS.some((repair) => repair(loop, boundaries))) return;
  const members = loop.map(({ kind, namespace, name }) =>
    [kind, namespace, name].filter((word) => word).join(" ")
  );
  warn(
    `could not resolve dependency loop among these items: ${members.join(", ")}`,
  );
  removeNeed(loop[0]!, loop[1] ?? loop[0]!);
}

/**
 * A base type is made of functions that take the type: they are created for its shell. So is a range type's canonical
 * function.
 */
function typeAndFunction(loop: Loop): boolean {
  const pair = pairOf(loop, ({ kind }) => kind === "type", ({ kind }) => kind === "function");
  if (!pair) return false;
  const [type, func] = pair;
  removeNeed(func, type);
  if (type.shell) {
    func.needs.push(type.shell);
    type.shell.form = "normal";
  }
  return true;
}

/**
 * Something that the view's rule needs needs the view: it gets null columns first, the rule later makes it what it is.
 */
function viewWithinLoop(loop: Loop, { postData }: Boundaries): boolean {
  for (const view of loop.filter(isRelation("v"))) {
    const rule = loop.find((member) => isSelectRule(member) && member.whole === view);
    if (!rule) continue;
    removeNeed(view, rule);
    view.form = "dummy";
    rule.form = "normal";
    rule.needs.push(view, postData);
    return true;
  }
  return false;
}

/**
 * A materialized view or function that needs something after the data (a primary key it groups by) comes after the data
 * itself.
 */
function postpone(loop: Loop, { preData }: Boundaries, isMeant: (object: CatalogObject) => boolean): boolean {
  const at = loop.indexOf(preData);
  if (loop.length <= 2 || at < 0 || !loop.some(isMeant)) return false;
  const next = loop[(at + 1) % loop.length]!;
  removeNeed(preData, next);
  if (isMeant(next)) next.form = "postponed";
  return true;
}

/** A part needs something that needs its whole: it gets an entry of its own, behind `boundary`. */
function takeOut(
  loop: Loop,
  kind: "table" | "type",
  isPart: (object: CatalogObject) => boolean,
  boundary: CatalogObject | null,
): boolean {
  for (const whole of loop.filter((member) => member.kind === kind)) {
    const part = loop.find((member) => isPart(member) && member.whole === whole);
    if (!part) continue;
    removeNeed(whole, part);
    part.form = "normal";
    part.needs.push(whole);
    if (boundary) part.needs.push(boundary);
    return true;
  }
  return false;
}

/**
 * The index of a partitioned table waits for those of its partitions, which are attached to it; they do not wait for
 * it.
 */
function partitionedIndexes(loop: Loop): boolean {
  const pair = pairOf(loop, isIndex, isIndex);
  const child = pair?.find(({ whole }) => whole !== null && pair.includes(whole));
  if (!child) return false;
  removeNeed(child, child.whole!);
  return true;
}

/** The two members of a loop of two, in the order of the tests. */
function pairOf(
  loop: Loop,
  isFirst: (object: CatalogObject) => boolean,
  isSecond: (object: CatalogObject) => boolean,
): [CatalogObject, CatalogObject] | null {
  const [a, b] = loop;
  if (loop.length !== 2) return null;
  if (isFirst(a!) && isSecond(b!)) return [a!, b!];
  if (isFirst(b!) && isSecond(a!)) return [b!, a!];
  return null;
}

function isRelation(...relkinds: string[]): (object: CatalogObject) => boolean {
  return ({ kind, relkind }) => kind === "table" && relkinds.includes(relkind);
}

function isIndex({ kind }: CatalogObject): boolean {
  return kind === "index";
}

/** The rule that makes a view: PostgreSQL lets no other have this name. */
function isSelectRule({ kind, name, whole }: CatalogObject): boolean {
  return kind === "rule" && name === "_RETURN" && whole !== null;
}

function isCheck({ kind, whole }: CatalogObject): boolean {
  return kind === "constraint" && whole !== null;
}

function isDefault({ kind }: CatalogObject): boolean {
  return kind === "default";
}

/** Removes every edge from one object to another. */
export function removeNeed(object: CatalogObject, needed: CatalogObject): void {
  let kept = 0;
  for (const other of object.needs) {
    if (other !== needed) object.needs[kept++] = other;
  }
  object.needs.length = kept;
}
