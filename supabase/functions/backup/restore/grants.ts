/** Grants one by one, where some of an entry's name a role that is not there or may not be given. */
import type { Entry } from "../entry.ts";
import type { Connection } from "./connection.ts";
import type { Substituted } from "./engine.ts";
import { type ServerError, words } from "./server_error.ts";

/** A statement, in which names and constants may hold a semicolon. */
const STATEMENT = /(?:[^;"']|"(?:[^"]|"")*"|'(?:[^']|'')*')+;/g;

/** Runs those statements of a definition that the server takes. Returns null where it takes none. */
export async function grantOneByOne(
  connection: Connection,
  { definition }: Entry,
  error: ServerError,
): Promise<Substituted | null> {
  const statements = (definition ?? "").match(STATEMENT)?.map((statement) => statement.trim()) ?? [];
  const mend: string[] = [];
  let why = error;
  for (const statement of statements) {
    const attempt = await connection.attempt(statement);
    if ("result" in attempt) continue;
    why = attempt.error;
    mend.push(statement);
  }
  if (mend.length === statements.length) return null;
  return {
    changed: { how: `without ${mend.length} of its ${statements.length} grants`, why: words(why), mend },
  };
}
