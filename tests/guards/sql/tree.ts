/** Nodes of libpg-query's trees: objects with one key, the node's kind. */

// deno-lint-ignore no-explicit-any
export type Node = any;

/** A place in the project that breaks the rule. */
export interface Finding {
  where: string;
  /** What is wrong there, in a few words. */
  fault: string;
  /** The SQL around it, on one line. */
  text: string;
}

/** Stands in for a part of SQL text that is only known when the query is made. */
export const UNKNOWN = "__unknown_";

/** Returns whether a name is, or holds, a part that is only known when the query is made. */
export function isUnknown(name: string): boolean {
  return name.includes(UNKNOWN);
}

/** Returns whether a name is nothing but such a part. */
export function isStandIn(name: string): boolean {
  return new RegExp(`^${UNKNOWN}[a-z]\\d*$`).test(name);
}

/** Returns the parts of a qualified name; `*` for a star. */
export function parts(names: Node[] | undefined): string[] {
  return (names ?? []).map((name) => name.String?.sval ?? "*");
}

/** Returns the kind of a node and its content. */
export function open(node: Node): [kind: string, content: Node] {
  const [kind] = Object.keys(node ?? {});
  return kind === undefined ? ["", {}] : [kind, node[kind]];
}

/** Calls `visit` for every node below, also inside of lists and of content without a kind. */
export function walk(node: Node, visit: (kind: string, content: Node) => boolean | void): void {
  if (Array.isArray(node)) {
    for (const item of node) walk(item, visit);
  } else if (node !== null && typeof node === "object") {
    for (const [key, value] of Object.entries(node)) {
      if (value === null || typeof value !== "object") continue;
      const isNode = /^[A-Z]/.test(key) && !Array.isArray(value);
      if (isNode && visit(key, value) === false) continue;
      walk(value, visit);
    }
  }
}
