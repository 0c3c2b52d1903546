/** Orders rows for existing tables by their foreign keys: referenced tables first. */
import type { Entry } from "../entry.ts";

/** Returns the same entries, TABLE DATA in an order that foreign keys allow, unless they form a circle. */
export function inOrderOfKeys(chosen: readonly Entry[], all: readonly Entry[]): Entry[] {
  const tables = new Set(all.filter(({ desc }) => desc === "TABLE").map(({ dumpId }) => dumpId));
  const referenced = new Map<number, Set<number>>();
  for (const { desc, tag, dependencies } of all) {
    if (desc !== "FK CONSTRAINT") continue;
    const both = dependencies.filter((id) => tables.has(id));
    const own = both.find((id) =>
      all.some((entry) => entry.dumpId === id && tag.startsWith(`${entry.tag} `))
    );
    if (own === undefined) continue;
    const targets = referenced.get(own) ?? new Set();
    for (const id of both) if (id !== own) targets.add(id);
    referenced.set(own, targets);
  }
  // The rows of a partitioned table are in its partitions, which have its keys.
  for (const { desc, dependencies } of all) {
    if (desc !== "TABLE ATTACH") continue;
    const [partition, parent] = dependencies as [number, number];
    const keys = referenced.get(parent) ?? new Set();
    referenced.set(partition, new Set([...referenced.get(partition) ?? [], ...keys]));
    referenced.set(parent, new Set([...keys, partition]));
  }
  const dataOf = new Map(
    chosen.filter(({ desc }) => desc === "TABLE DATA").map((entry) => [entry.dependencies[0]!, entry]),
  );
  const placed = new Set<number>();
  const ordered: Entry[] = [];
  const visit = (table: number) => {
    if (placed.has(table)) return;
    placed.add(table);
    for (const id of referenced.get(table) ?? []) visit(id);
    const data = dataOf.get(table);
    if (data) ordered.push(data);
  };
  for (const table of dataOf.keys()) visit(table);
  const others = chosen.filter(({ desc }) => desc !== "TABLE DATA");
  const heading = others.filter(({ section }) => section === "pre-data");
  return [...heading, ...ordered, ...others.filter((entry) => !heading.includes(entry))];
}
