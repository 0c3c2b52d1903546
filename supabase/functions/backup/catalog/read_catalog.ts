/** Reads the catalogs of a database: a fixed number of queries, sent together, whatever the number of objects. */
import type { Session } from "../postgres/session.ts";
import { Catalog, type ColumnGrant, type Facts, objectKey } from "./catalog.ts";
import { readDependencies, resolveDependencies } from "./dependencies.ts";
import { addMembers, type MemberRow, MEMBERS_SQL } from "./members.ts";
import { OBJECT_TYPES } from "./object_types.ts";
import { COLUMN_GRANTS_SQL } from "./relations.ts";
import { queryJson } from "./query_json.ts";
import { readSequenceValues } from "./sequence_values.ts";
import { CONFIG_KEYS_SQL, orderConfigData } from "./table_data.ts";
import { type UnsupportedRow, unsupportedSql, warnOfUnsupported, warnOfVersion } from "./unsupported.ts";
import { orderRefreshes, REFRESHES_SQL } from "./refreshes.ts";

interface NoteRow {
  classId: number;
  oid: number;
  subId: number;
  text: string;
}

const COMMENTS_SQL = `
  select classoid::int8 as "classId", objoid::int8 as oid, objsubid as "subId", description as text
  from pg_description
  where objoid >= 16384 or classoid in ('pg_namespace'::regclass, 'pg_largeobject'::regclass)
  order by classoid, objoid, objsubid`;

const LABELS_SQL = `
  select classoid::int8 as "classId", objoid::int8 as oid, objsubid as "subId", provider, label as text
  from pg_seclabel
  order by classoid, objoid, objsubid`;

/** Reads what object types need to know before they read: the server's version and its key words. */
export async function readFacts(
  session: Session,
): Promise<Facts & { serverVersion: string; encoding: string }> {
  // Texts in definitions must not depend on a setting of the database.
  await session.sql.unsafe("set local standard_conforming_strings = on");
  const [row] = await queryJson<
    {
      version: number;
      serverVersion: string;
      encoding: string;
      superuser: boolean;
      reserved: string[];
    }
  >(
    session,
    `select current_setting('server_version_num')::int as version, current_setting('server_version') as "serverVersion",
       current_setting('client_encoding') as encoding, current_setting('is_superuser') = 'on' as superuser,
       (select array_agg(word) from pg_get_keywords() where catcode <> 'U') as reserved`,
  );
  return { ...row!, reserved: new Set(row!.reserved) };
}

/**
 * Reads all objects with what they depend on. Tables must be locked before: functions that print definitions look at
 * the catalogs of this moment, not of the snapshot.
 */
export async function readCatalog(
  session: Session,
  facts: Facts,
  unreadable: ReadonlySet<number>,
): Promise<Catalog> {
  const catalog = new Catalog(facts, unreadable);
  const queries = OBJECT_TYPES.map((type) => type.query(facts.version, facts.superuser));
  // Sent together, answered in order: few round trips.
  const [notes, links, types] = await Promise.all([
    Promise.all([
      queryJson<NoteRow>(session, COMMENTS_SQL),
      queryJson<NoteRow & { provider: string }>(session, LABELS_SQL),
      queryJson<{ oid: number; columns: ColumnGrant[] }>(session, COLUMN_GRANTS_SQL),
    ]),
    Promise.all([
      queryJson<{ view: number; source: number }>(session, REFRESHES_SQL),
      queryJson<{ from: number; to: number }>(session, CONFIG_KEYS_SQL),
      readDependencies(session),
      queryJson<UnsupportedRow>(session, unsupportedSql()),
      queryJson<MemberRow>(session, MEMBERS_SQL),
    ]),
    Promise.all(queries.map((query) => query === null ? [] : queryJson<unknown>(session, query))),
    readSequenceValues(session, catalog),
  ]);

  const [comments, labels, columnGrants] = notes;
  collect(comments, catalog.comments);
  collect(labels, catalog.labels);
  for (const { oid, columns } of columnGrants) catalog.columnGrants.set(oid, columns);
  for (const [index, type] of OBJECT_TYPES.entries()) {
    for (const row of types[index]!) type.read(row, catalog);
  }
  const [refreshes, configKeys, edges, uncovered, members] = links;
  addMembers(members, catalog);
  orderRefreshes(refreshes, catalog);
  orderConfigData(configKeys, catalog);
  resolveDependencies(edges, catalog);
  warnOfUnsupported(uncovered, catalog);
  warnOfVersion(catalog);
  return catalog;
}

function collect<Note extends NoteRow>(
  notes: Note[],
  into: Map<number, Omit<Note, "classId" | "oid">[]>,
): void {
  for (const note of notes) {
    const key = objectKey(note.classId, note.oid);
    const list = into.get(key);
    if (list) list.push(note);
    else into.set(key, [note]);
  }
}
