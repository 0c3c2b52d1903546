/** Extensions that the target cannot have, and what of an archive needs them. */
import type { Entry } from "../../supabase/functions/backup/toc/entry.ts";
import type { Target } from "./target.ts";

/** Schemas that extensions make for themselves: rows and grants there are of no use without them. */
const OWN_SCHEMAS: Record<string, string> = {
  cron: "pg_cron",
  graphql: "pg_graphql",
  net: "pg_net",
  pgmq: "pgmq",
  pgsodium: "pgsodium",
  topology: "postgis_topology",
  vault: "supabase_vault",
};

/** Names of the archive's extensions that are neither installed on the target nor can be. */
export function missingExtensions(entries: readonly Entry[], target: Target): string[] {
  return entries.filter(({ desc, tag }) =>
    desc === "EXTENSION" && !target.extensions.has(tag) && !target.available.has(tag)
  ).map(({ tag }) => tag);
}

/** Ids of the entries that cannot be without them: they themselves, what depends on them, and what depends on that. */
export function needing(entries: readonly Entry[], missing: readonly string[], target: Target): Set<number> {
  const ids = new Set<number>();
  const made = new Set(entries.filter(({ desc }) => desc === "SCHEMA").map(({ tag }) => tag));
  for (const { desc, tag, namespace, dumpId, dependencies } of entries) {
    const schema = namespace ?? /^SCHEMA (\w+)$/.exec(tag)?.[1];
    const homeless = schema !== undefined && !made.has(schema) && !target.schemas.has(schema);
    const theirs = homeless && missing.includes(OWN_SCHEMAS[schema] ?? "");
    const isMissing = desc === "EXTENSION" && missing.includes(tag);
    // Objects come after what they depend on.
    if (isMissing || theirs || dependencies.some((id) => ids.has(id))) ids.add(dumpId);
  }
  return ids;
}

/** Extensions that are in another schema than the backup's: what calls their functions by their schema would not find them. */
export function movedExtensions(entries: readonly Entry[], { extensions }: Target): string[] {
  return entries.flatMap(({ desc, tag, definition }) => {
    const [, wanted] = / WITH SCHEMA (?:"((?:[^"]|"")+)"|(\S+));\n$/.exec(definition ?? "")?.filter((part) =>
      part !== undefined
    ) ?? [];
    const there = extensions.get(tag);
    if (desc !== "EXTENSION" || there === undefined || wanted === undefined || there === wanted) {
      return [];
    }
    return [
      `extension ${tag} is in the schema ${there} here, and in ${wanted} in the backup: what names ${wanted} for it will not find it`,
    ];
  });
}
