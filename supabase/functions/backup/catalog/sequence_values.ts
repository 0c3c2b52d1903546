/** What sequences have come to: only their own relation tells. */
import { BackupError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";
import type { Catalog } from "./catalog.ts";
import { isManaged } from "./managed.ts";
import { relationsSql } from "./relations.ts";
import { rows } from "./rows.ts";

interface ReadableRow {
  oid: number;
  schema: string;
  name: string;
  owner: string;
  role: string;
  own: boolean;
  readable: boolean;
}

/** Sequences whose values are asked in one statement: their tables are read one by one, a statement each would be a round trip each. */
const BATCH = 500;

/**
 * Reads the values into the catalog. A sequence that may not be read is left out
 * with a warning when it is the platform's. Throws BackupError `permission_denied` when it is a user's.
 */
export async function readSequenceValues(session: Session, catalog: Catalog): Promise<void> {
  const list = await rows<ReadableRow>(
    session,
    `select c.oid::int8, c.nspname as schema, format('%I.%I', c.nspname, c.relname) as name, c.owner,
       current_user as role, pg_has_role(c.relowner, 'member') as own,
       has_schema_privilege(c.relnamespace, 'usage') and has_sequence_privilege(c.oid, 'select') as readable
     from ${relationsSql("'S'")}
     where c.whole or c.config is not null
     order by c.oid`,
  );
  const readable = list.filter((sequence) => isReadable(sequence, catalog));
  const batches: ReadableRow[][] = [];
  for (let first = 0; first < readable.length; first += BATCH) {
    batches.push(readable.slice(first, first + BATCH));
  }
  const answers = batches.map((batch) =>
    rows<{ oid: number; last: string; called: boolean }>(
      session,
      batch.map(({ oid, name }) =>
        `select ${oid}::int8 as oid, last_value::text as last, is_called as called from ${name}`
      )
        .join("\nunion all\n"),
    )
  );
  for (const { oid, ...value } of (await Promise.all(answers)).flat()) catalog.sequenceValues.set(oid, value);
}

function isReadable({ schema, name, owner, role, own, readable }: ReadableRow, catalog: Catalog): boolean {
  if (readable) return true;
  if (own || !isManaged(schema)) {
    throw new BackupError(
      "permission_denied",
      `Role "${role}" may not read sequence ${name}, which belongs to "${owner}"`,
      `As "${owner}": grant usage on schema ${schema} to ${role}; grant select on sequence ${name} to ${role};`,
    );
  }
  catalog.warnings.push({
    code: "no_privilege",
    object: `sequence ${name}`,
    message: `Its value is not in the backup: role "${role}" may not read it (it belongs to "${owner}")`,
  });
  return false;
}
