/** What sequences have come to. */
import { BackupError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";
import type { Catalog } from "./catalog.ts";
import { isPlatforms } from "./managed.ts";
import { relationsSql } from "./relations.ts";
import { queryJson } from "./query_json.ts";
import { HAS_TRUSTED_OWNERS } from "./trusted_owner.ts";

interface ReadableRow {
  oid: number;
  schema: string;
  name: string;
  owner: string;
  role: string;
  own: boolean;
  readable: boolean;
  /** A query may name it. */
  trusted: boolean;
}

/**
 * Sequences whose values are asked in one statement: their tables are read one by one, a statement each would be a
 * round trip each.
 */
const BATCH = 500;

/**
 * Reads the values into the catalog. A sequence that may not be read is left out with a warning when it is the
 * platform's. Throws BackupError `permission_denied` when it is a user's, `table_not_read` when it is gone.
 */
export async function readSequenceValues(session: Session, catalog: Catalog): Promise<void> {
  const list = await queryJson<ReadableRow>(
    session,
    `select c.oid::int8, c.nspname as schema, format('%I.%I', c.nspname, c.relname) as name, c.owner,
       current_user as role, pg_has_role(c.relowner, 'member') as own,
       has_schema_privilege(c.relnamespace, 'usage') and has_sequence_privilege(c.oid, 'select') as readable,
       ${HAS_TRUSTED_OWNERS} as trusted
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
    queryJson<{ oid: number; last: string | null; called: boolean }>(
      session,
      batch.map((sequence) => valueSql(sequence, catalog.facts.version)).join("\nunion all\n"),
    )
  );
  for (const { oid, last, called } of (await Promise.all(answers)).flat()) {
    if (last === null) throw dropped(list.find((sequence) => sequence.oid === oid)!);
    catalog.sequenceValues.set(oid, { last, called });
  }
}

/**
 * Before 18 only the relation says what a sequence that was not asked yet will begin with. Where another could take its
 * place, such a sequence is taken to begin where it was made to.
 */
function valueSql({ oid, name, trusted }: ReadableRow, version: number): string {
  if (version >= 180000) {
    return `select ${oid}::int8 as oid, last_value::text as last, is_called as called from pg_catalog.pg_get_sequence_data('${oid}'::regclass)`;
  }
  if (trusted) {
    return `select ${oid}::int8 as oid, last_value::text as last, is_called as called from ${name}`;
  }
  return `select seqrelid::int8 as oid, coalesce(last, seqstart)::text as last, last is not null as called
    from pg_sequence, pg_sequence_last_value(seqrelid) as last where seqrelid = ${oid}`;
}

function isReadable(sequence: ReadableRow, catalog: Catalog): boolean {
  const { schema, name, owner, role, own, readable } = sequence;
  if (readable) return true;
  if (own || !isPlatforms(sequence)) {
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

/** Servers from 18 on say nothing of a sequence that is gone; earlier ones raise an error. */
function dropped({ name }: ReadableRow): BackupError {
  return new BackupError(
    "table_not_read",
    `Cannot read sequence ${name}: it does not exist any more`,
    "Somebody dropped it while the backup began. The next backup goes without it.",
  );
}
