/**
 * Database webhooks are restored disabled: a restored one would call its URL for every row written to the
 * copy.
 */
import type { Entry } from "../entry.ts";
import type { PlanStep } from "./plan_step.ts";

interface Webhook {
  /** Creates the trigger and disables it. */
  sql: string;
  /** The statement that turns it on. */
  on: string;
}

/** Returns null for a trigger entry that does not look as pg_dump writes one. */
function disabledWebhook({ definition, drop }: Entry): Webhook | null {
  const [, name, table] = /^DROP TRIGGER ("(?:[^"]|"")+"|\S+) ON ([\s\S]*);\n$/.exec(drop ?? "") ?? [];
  if (name === undefined || definition === null) return null;
  return {
    sql: `${definition}\nALTER TABLE ${table} DISABLE TRIGGER ${name};\n`,
    on: `alter table ${table} enable trigger ${name}`,
  };
}

/** One that was off in the source stays off. */
export const disableWebhooks: PlanStep = (_, plan) => {
  const found = plan.webhooks.map((entry) => ({ entry, webhook: disabledWebhook(entry) }))
    .filter(({ webhook }) => webhook !== null);
  return {
    after: found.map(({ entry, webhook }) => ({ what: `webhook ${entry.tag}, disabled`, sql: webhook!.sql })),
    altered: new Map(found.map(({ entry }) => [entry.dumpId, "webhooks are restored disabled"])),
    toDo: found.filter(({ entry }) => !/ DISABLE TRIGGER /.test(entry.definition!))
      .map(({ webhook }) => ({ what: "enable a webhook", sql: webhook!.on })),
  };
};
