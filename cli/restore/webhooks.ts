/** Database webhooks come back disabled: a restored one would call its URL for every row written to the copy. */
import type { Entry } from "../../supabase/functions/backup/toc/entry.ts";

export interface Webhook {
  /** Creates the trigger and disables it. */
  sql: string;
  /** The statement that turns it on. */
  on: string;
}

/** Null for a trigger entry that does not look as pg_dump writes one. */
export function disabledWebhook({ definition, drop }: Entry): Webhook | null {
  const [, name, table] = /^DROP TRIGGER ("(?:[^"]|"")+"|\S+) ON ([\s\S]*);\n$/.exec(drop ?? "") ?? [];
  if (name === undefined || definition === null) return null;
  return {
    sql: `${definition}\nALTER TABLE ${table} DISABLE TRIGGER ${name};\n`,
    on: `alter table ${table} enable trigger ${name}`,
  };
}
