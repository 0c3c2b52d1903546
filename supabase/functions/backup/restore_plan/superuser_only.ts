/**
 * What only a superuser may create: a drill restores as a role that is none, and says what it did not try.
 */
import type { Entry } from "../entry.ts";
import type { PlanStep } from "./plan_step.ts";

const KINDS = new Set([
  "ACCESS METHOD",
  "EVENT TRIGGER",
  "FOREIGN DATA WRAPPER",
  "OPERATOR CLASS",
  "OPERATOR FAMILY",
  "PROCEDURAL LANGUAGE",
  "PUBLICATION TABLES IN SCHEMA",
  "SECURITY LABEL",
  "SUBSCRIPTION",
  "TEXT SEARCH PARSER",
  "TEXT SEARCH TEMPLATE",
  "TRANSFORM",
]);

/** Languages whose functions can do no more than their role may. */
const TRUSTED = /^(sql|plpgsql|plperl|pltcl|plv8|plls|plcoffee|pllua)$/;

export const leaveOutSuperuserOnly: PlanStep = ({ archive, target }, { entries }) => {
  if (!target.scratch) return {};
  const refused = superuserOnly(archive);
  return {
    entries: entries.filter(({ dumpId }) => !refused.has(dumpId)),
    superuserOnly: entries.filter(({ dumpId }) => refused.has(dumpId)),
  };
};

/** Ids of these entries and of all that cannot be without them. */
function superuserOnly(entries: readonly Entry[]): Set<number> {
  const archived = new Set(entries.map(({ dumpId }) => dumpId));
  const ids = new Set<number>();
  const servers: string[] = [];
  for (const entry of entries) {
    const { dumpId, desc, tag, dependencies } = entry;
    // Archives do not say that a user mapping depends on its server.
    const isOfServer = desc === "USER MAPPING" && servers.some((name) => tag.endsWith(` SERVER ${name}`));
    if (!isOfServer && !needsSuperuser(entry, archived) && !dependencies.some((id) => ids.has(id))) continue;
    ids.add(dumpId);
    if (desc === "SERVER") servers.push(tag);
  }
  return ids;
}

function needsSuperuser(entry: Entry, archived: ReadonlySet<number>): boolean {
  const { desc, namespace, tag, dependencies } = entry;
  const definition = entry.definition ?? "";
  if (KINDS.has(desc)) return true;
  switch (desc) {
    case "ACL":
      // Of the server's own objects.
      return namespace === "pg_catalog" || namespace === "information_schema" ||
        (tag.startsWith("LANGUAGE ") && !dependencies.some((id) => archived.has(id)));
    case "FUNCTION":
    case "PROCEDURE": {
      const head = definition.split(/\n {4}AS |\n {4}(?:BEGIN ATOMIC|RETURN )/)[0]!;
      const [, language = ""] = /\n {4}LANGUAGE "?(\w+)"?/.exec(head) ?? [];
      return !TRUSTED.test(language) || /\n {4}LANGUAGE .* (LEAKPROOF|SUPPORT )/.test(head);
    }
    case "AGGREGATE":
      return /\n {4}(STYPE|MSTYPE) = internal\b/.test(definition);
    case "CAST":
      return / WITHOUT FUNCTION/.test(definition);
    case "TYPE":
      return /^CREATE TYPE [^;]*? \(\n {4}INTERNALLENGTH/.test(definition);
    case "PUBLICATION":
      return / FOR ALL TABLES/.test(definition);
    default:
      return false;
  }
}
