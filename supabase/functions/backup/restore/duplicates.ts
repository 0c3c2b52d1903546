/** Unique indexes and keys over rows that are not unique: left out, with the query that shows why. */
import type { Entry } from "../entry.ts";
import type { Substituted } from "./engine.ts";
import { type ServerError, words } from "./server_error.ts";
import { QUALIFIED } from "./sql_names.ts";

const UNIQUE_VIOLATION = "23505";
const EXCLUSION_VIOLATION = "23P01";

const TABLE = new RegExp(`^(?:CREATE UNIQUE INDEX .*? ON|ALTER TABLE) (?:ONLY )?(${QUALIFIED})[ \\n]`);

export function leaveOutUnique({ definition }: Entry, error: ServerError): Substituted | null {
  if (error.code !== UNIQUE_VIOLATION && error.code !== EXCLUSION_VIOLATION) return null;
  const text = definition!.trim();
  const [, table] = TABLE.exec(text) ?? [];
  const [, columns] = /^Key \(([\s\S]*)\)=\(/.exec(error.detail ?? "") ?? [];
  const [, filter] = / WHERE (\([\s\S]*\));/.exec(text) ?? [];
  const find = error.code === UNIQUE_VIOLATION && table !== undefined && columns !== undefined
    ? `select ${columns}, count(*) from ${table}${filter ? ` where ${filter}` : ""} ` +
      `group by ${columns} having count(*) > 1;`
    : undefined;
  return { leftOut: { why: words(error), ...(find ? { find } : {}), mend: [text] } };
}
