/** Rows are restored without firing triggers: what these did the first time is in the backup itself. */
import type { Trigger } from "./context.ts";
import { type PlanStep, statements } from "./plan_step.ts";
import { quoted } from "./sql_text.ts";

/**
 * For a role that owns the tables; for a superuser pg_restore does it. Foreign keys stay enforced: only a
 * superuser can disable their triggers.
 */
export const disableTriggers: PlanStep = ({ options, target, triggers: all }, { entries }) => {
  if (!options.dataOnly || target.superuser) return {};
  const filled = new Set(
    entries.filter(({ desc }) => desc === "TABLE DATA").map(({ namespace, tag }) =>
      JSON.stringify([namespace, tag])
    ),
  );
  const triggers = all.filter(({ schema, table }) => filled.has(JSON.stringify([schema, table])));
  const each = (verb: (trigger: Trigger) => string) =>
    triggers.map((trigger) =>
      `ALTER TABLE ${quoted(trigger.schema)}.${quoted(trigger.table)} ${verb(trigger)} TRIGGER ${
        quoted(trigger.name)
      };\n`
    ).join("");
  return {
    before: statements("triggers off", each(() => "DISABLE")),
    after: statements("triggers on", each(({ always }) => always ? "ENABLE ALWAYS" : "ENABLE")),
  };
};
