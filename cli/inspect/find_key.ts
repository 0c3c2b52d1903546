/** Looks a key up in every backup: in which is the row, and how was it? */
import { findRow } from "../../supabase/functions/backup/inspect/table_rows.ts";
import type { StoredTable } from "../../supabase/functions/backup/inspect/tables.ts";
import type { Manifest, TableRows } from "../../supabase/functions/backup/manifest/manifest.ts";
import type { Origin } from "../source/source.ts";
import { backupsOf } from "../source/source.ts";
import { CommandError, UsageError } from "../terminal/errors.ts";
import { tableNamed } from "./objects.ts";
import { openBackup } from "./open_backup.ts";

export interface Found {
  backup: string;
  /** The instant of the database that the backup holds. */
  snapshotAt: string;
  /** `unreadable`: whether the row is there is not known, for the reason in `detail`. */
  state: "present" | "absent" | "no table" | "unreadable";
  columns: string[];
  row: (string | null)[] | null;
  /** Whether the row is another than in the backup before; null in the oldest, and where it is not known. */
  changed: boolean | null;
  detail: string;
}

/** What is known of a row from the backup before, whose table has the same text. */
interface Known {
  row: (string | null)[] | null;
  /** Where in a row the key is. */
  places: string;
}

/**
 * Looks a row up in the backups of a place, oldest first. `key` has the values of the key, in its order. Rows of a
 * table that has not changed since the backup before are not read again. Throws UsageError where no backup has a key of
 * so many columns.
 */
export async function* findKey(
  origin: Origin,
  table: string,
  key: readonly string[],
  identity?: string,
): AsyncGenerator<Found> {
  const backups = (await backupsOf(origin)).filter(({ manifest }) => manifest !== null).reverse();
  const names = origin.kind === "folder" || origin.kind === "file"
    ? ["latest"]
    : backups.map(({ name }) => name);
  let before: { found: Found; text: TableRows | undefined; places: string } | null = null;
  let wrongKey: UsageError | null = null;
  let isLookedUp = false;
  for (const [index, name] of names.entries()) {
    const text = backups[index] && textOf(backups[index].manifest!, table);
    const known = before !== null && before.places !== "" && isSame(before.text, text)
      ? { row: before.found.row, places: before.places }
      : null;
    const { found, places, error } = await lookUp(origin, name, table, key, identity, known);
    if (error instanceof UsageError) wrongKey = error;
    isLookedUp ||= found.state === "present" || found.state === "absent";
    const canTell = before !== null && before.found.state !== "unreadable" && found.state !== "unreadable";
    found.changed = canTell ? JSON.stringify(before!.found.row) !== JSON.stringify(found.row) : null;
    before = { found, text, places };
    yield found;
  }
  if (wrongKey !== null && !isLookedUp) throw wrongKey;
}

async function lookUp(
  origin: Origin,
  name: string,
  wanted: string,
  values: readonly string[],
  identity: string | undefined,
  known: Known | null,
): Promise<{ found: Found; places: string; error?: unknown }> {
  const found: Found = {
    backup: name,
    snapshotAt: "",
    state: "no table",
    columns: [],
    row: null,
    changed: null,
    detail: "",
  };
  try {
    const backup = await openBackup(origin, name, identity);
    found.backup = backup.name;
    found.snapshotAt = backup.manifest?.snapshotAt ?? "";
    const table = tableNamed(backup.archive.entries, wanted);
    if (table === null) return { found, places: "" };
    const key = keyOf(table, values);
    // Columns may have got other names, or the key others, without a row being written.
    const places = key.map((column) => table.columns.indexOf(column)).join();
    const row = known?.places === places ? known.row : await findRow(backup.archive, table, key, values);
    return {
      found: { ...found, state: row === null ? "absent" : "present", columns: table.columns, row },
      places,
    };
  } catch (error) {
    const detail = (error as Error).message;
    return { found: { ...found, state: "unreadable", detail }, places: "", error };
  }
}

/** Returns the columns that `values` are for. Throws UsageError where the table has no such key. */
export function keyOf({ schema, name, key }: StoredTable, values: readonly string[]): string[] {
  if (key === null) {
    throw new UsageError(
      `Table "${schema}.${name}" has no primary key, and no unique key without nulls`,
      `Search its rows instead: show BACKUP ${schema}.${name} --rows --csv`,
    );
  }
  if (key.length === values.length) return key;
  throw new UsageError(
    `The key of "${schema}.${name}" has ${key.length} columns, and ${values.length} values were given`,
    `Give a value for each of ${key.join(", ")}.`,
  );
}

/** Throws CommandError where no backup has the table. */
export function expectTable(found: readonly Found[], table: string): void {
  if (found.some(({ state }) => state !== "no table")) return;
  throw new CommandError(
    `No backup has the table "${table}"`,
    "Names are schema.table, not quoted. `show latest` lists the tables.",
  );
}

function textOf({ tables }: Manifest, wanted: string): TableRows | undefined {
  return tables.find(({ schema, name }) => `${schema}.${name}` === wanted);
}

function isSame(one: TableRows | undefined, two: TableRows | undefined): boolean {
  return one?.adler32 !== undefined && one.adler32 === two?.adler32 && one.rawBytes === two.rawBytes &&
    one.rows === two.rows;
}
