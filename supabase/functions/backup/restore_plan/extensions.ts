/** Leaves out extensions that the target cannot have, and the entries that need them. */
import type { Entry } from "../entry.ts";
import type { ExistingObjects, PlanContext, TargetFacts } from "./context.ts";
import type { PlanStep } from "./plan_step.ts";

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

export const leaveOutMissingExtensions: PlanStep = ({ archive, target, existing, versions }, { entries }) => {
  const extensions = missingExtensions(entries, target);
  const unable = needing(archive, extensions, target, existing);
  return {
    entries: entries.filter(({ dumpId }) => !unable.has(dumpId)),
    missing: { extensions, entries: entries.filter(({ dumpId }) => unable.has(dumpId)) },
    notes: [...movedExtensions(archive, target), ...otherVersions(entries, versions)],
  };
};

/** Returns the archive's extensions that are neither installed on the target nor available there. */
function missingExtensions(entries: readonly Entry[], target: TargetFacts): string[] {
  return entries.filter(({ desc, tag }) =>
    desc === "EXTENSION" && !target.extensions.has(tag) && !target.available.has(tag)
  ).map(({ tag }) => tag);
}

/** Returns the ids of the extensions' entries and of all that depend on them, directly or not. */
function needing(
  entries: readonly Entry[],
  missing: readonly string[],
  target: TargetFacts,
  existing: ExistingObjects,
): Set<number> {
  const ids = new Set<number>();
  const made = new Set(entries.filter(({ desc }) => desc === "SCHEMA").map(({ tag }) => tag));
  const archived = new Set(entries.map(({ dumpId }) => dumpId));
  for (const entry of entries) {
    const { desc, tag, namespace, dumpId, dependencies } = entry;
    const schema = namespace ?? /^SCHEMA (\w+)$/.exec(tag)?.[1];
    const homeless = schema !== undefined && !made.has(schema) && !target.schemas.has(schema);
    const ofMember = isOfMember(entry, archived);
    const theirs = (homeless || ofMember) && missing.includes(OWN_SCHEMAS[schema ?? ""] ?? "");
    // A scratch server has its extensions already, so a member that it lacks belongs to a missing one.
    const gone = target.scratch && missing.length > 0 && ofMember && !isThere(entry, existing);
    const isMissing = desc === "EXTENSION" && missing.includes(tag);
    // Objects come after what they depend on.
    if (isMissing || theirs || gone || dependencies.some((id) => ids.has(id))) ids.add(dumpId);
  }
  return ids;
}

const MEMBERS = new Set(["ACL", "TABLE DATA", "SEQUENCE SET"]);

/** Returns true for rows and grants of an extension's members: they depend on nothing in the archive. */
export function isOfMember(
  { desc, namespace, dependencies }: Entry,
  archived: ReadonlySet<number>,
): boolean {
  return MEMBERS.has(desc) && namespace !== null && !dependencies.some((id) => archived.has(id));
}

function isThere(entry: Entry, existing: ExistingObjects): boolean {
  if (entry.desc !== "ACL") {
    return existing.hasTable(entry.namespace!, entry.tag) || existing.has({ ...entry, desc: "SEQUENCE" });
  }
  const [, desc, tag] = /^(TABLE|SEQUENCE|FUNCTION|PROCEDURE|TYPE|DOMAIN) ([\s\S]*)$/.exec(entry.tag) ?? [];
  return desc === undefined || existing.has({ ...entry, desc, tag: tag! });
}

/** Returns the schema that an extension's entry names, or null. */
export function extensionSchema({ definition }: Entry): string | null {
  const [, quoted, plain] = / WITH SCHEMA (?:"((?:[^"]|"")+)"|(\S+));\n$/.exec(definition ?? "") ?? [];
  return quoted?.replaceAll('""', '"') ?? plain ?? null;
}

/** Returns notes about extensions in another schema than in the backup. */
function movedExtensions(entries: readonly Entry[], { extensions }: TargetFacts): string[] {
  return entries.flatMap((entry) => {
    const { desc, tag } = entry;
    const wanted = extensionSchema(entry);
    const there = extensions.get(tag);
    if (desc !== "EXTENSION" || there === undefined || wanted === null || there === wanted) {
      return [];
    }
    return [
      `extension "${tag}" is in schema "${there}" here and in "${wanted}" in the backup; what names "${wanted}" fails`,
    ];
  });
}

function otherVersions(entries: readonly Entry[], { wanted, there }: PlanContext["versions"]): string[] {
  return entries.filter(({ desc }) => desc === "EXTENSION").flatMap(({ tag }) => {
    const [before, now] = [wanted.get(tag), there.get(tag)];
    if (before === undefined || now === undefined || before === now) return [];
    return [`extension "${tag}" has version ${before} in the backup and ${now} here`];
  });
}
