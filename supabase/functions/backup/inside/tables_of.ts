/** The tables that a restore is about. */
import type { Entry } from "../entry.ts";
import { BackupError } from "../errors.ts";
import { inOrderOfKeys } from "../restore_guide/key_order.ts";
import type { RestoreTask } from "./inside_client.ts";

/**
 * Returns schema and name of each, referenced tables first. Throws BackupError `bad_request` where the archive has
 * none.
 */
export function tablesOf(
  entries: readonly Entry[],
  { kind, subject }: Pick<RestoreTask, "kind" | "subject">,
): [schema: string, name: string][] {
  if (kind !== "schema") {
    const dot = subject!.indexOf(".");
    return [[subject!.slice(0, dot), subject!.slice(dot + 1)]];
  }
  const byId = new Map(entries.map((entry) => [entry.dumpId, entry]));
  const parents = new Map(
    entries.filter(({ desc }) => desc === "TABLE ATTACH").map((
      { dependencies },
    ) => [dependencies[0]!, dependencies[1]!]),
  );
  const names = new Set<string>();
  for (
    const { dependencies, desc } of inOrderOfKeys(
      entries.filter(({ desc }) => desc === "TABLE DATA"),
      entries,
    )
  ) {
    if (desc !== "TABLE DATA") continue;
    // A copy of a partitioned table has the rows of its partitions.
    let table = dependencies[0]!;
    while (parents.has(table)) table = parents.get(table)!;
    const { namespace, tag } = byId.get(table) ?? {};
    if (namespace === subject) names.add(tag!);
  }
  if (names.size === 0) {
    throw new BackupError(
      "bad_request",
      `The backup has no tables in schema "${subject}"`,
      "See backup.contents.",
    );
  }
  return [...names].map((name) => [subject!, name]);
}
