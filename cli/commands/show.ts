/** `show`: what a backup holds, without restoring it: objects, definitions, rows. */
import { Command, Option } from "commander";
import { findRow, rowsOf } from "../../supabase/functions/backup/inspect/table_rows.ts";
import type { StoredTable } from "../../supabase/functions/backup/inspect/tables.ts";
import { csvLine } from "../inspect/csv.ts";
import { keyOf } from "../inspect/find_key.ts";
import {
  definitionOf,
  objectsNamed,
  objectsOf,
  similarNames,
  type StoredObject,
  tableNamed,
} from "../inspect/objects.ts";
import { type OpenBackup, openNamed } from "../inspect/open_backup.ts";
import { CommandError, UsageError } from "../terminal/errors.ts";
import { bytes, count, counted, instant } from "../terminal/format.ts";
import { binaryOutput, note, printJson, printResult, sqlLines } from "../terminal/output.ts";
import { colors } from "../terminal/style.ts";
import { table } from "../terminal/table.ts";
import {
  fromOption,
  identityOption,
  integer,
  jsonOption,
  PROJECT_NOTE,
  repeated,
  S3_NOTE,
} from "./options.ts";

interface Options {
  rows?: true;
  whereKey?: string[];
  limit?: number;
  csv?: true;
  json?: true;
  from?: string;
  identity?: string;
}

/** Rows that fit a person's screen. */
const FIRST_ROWS = 50;

export const command = new Command("show")
  .summary("look into a backup: its objects, their definitions, rows")
  .description(
    "Look into a backup without restoring it: its objects, the definition of one, or rows of a table. Only the parts " +
      "that hold them are fetched.",
  )
  .argument("<backup>", "its name, latest, or a folder or archive of pg_dump's custom format")
  .argument("[object]", "schema.name, not quoted; of a function without its arguments")
  .option("--rows", "rows of the table instead of its definition")
  .option("--where-key <value>", "the row with this primary key; once for each of its columns", repeated)
  .option("--limit <number>", `rows at most (default: ${FIRST_ROWS}, with --csv all)`, integer(1, 1e9))
  .addOption(new Option("--csv", 'rows as CSV; null is empty, an empty text is ""').conflicts("json"))
  .addOption(jsonOption())
  .addOption(fromOption("a project's URL, s3://bucket/prefix or a folder (default: the project)"))
  .addOption(identityOption())
  .addHelpText("after", PROJECT_NOTE + S3_NOTE)
  .action(async (wanted: string, object: string | undefined, options: Options) => {
    const backup = await openNamed(wanted, options.from, options.identity);
    if (options.rows || options.whereKey) return await showRows(backup, object, options);
    const objects = objectsOf(backup);
    if (object === undefined) return showObjects(backup, objects, options.json);
    const meant = objectsNamed(objects, object);
    if (meant.length === 0) throw missingObjectError(backup, object, similarNames(objects, object));
    const { entries } = backup.archive;
    const shown = meant.map((one) => ({ ...one, definition: definitionOf(entries, one.id) }));
    if (options.json) return printJson({ backup: backup.name, objects: shown });
    for (const { type, schema, name, owner, definition } of shown) {
      printResult(
        colors.bold(`${type.toLowerCase()} ${schema === null ? name : `${schema}.${name}`}`) +
          (owner ? colors.dim(`, owned by ${owner}`) : ""),
        ...sqlLines(definition.replace(/;$/, "")),
      );
    }
  });

function showObjects({ name, manifest }: OpenBackup, objects: readonly StoredObject[], json?: true): void {
  if (json) return printJson({ backup: name, snapshot_at: manifest?.snapshotAt ?? null, objects });
  const taken = manifest ? ` as of ${instant(manifest.snapshotAt)}` : "";
  printResult(
    colors.bold(`${name}${taken}: ${counted(objects.length, "object")}`),
    ...table(
      ["object", "type", "rows", "uncompressed", "owner"],
      objects.map(({ schema, name, type, rows, bytes: size, owner, parent }) => [
        parent === null ? (schema === null ? name : `${schema}.${name}`) : `  ${name}`,
        type.toLowerCase(),
        rows === undefined ? "" : count(rows),
        size === undefined ? "" : bytes(size),
        owner ?? "",
      ]),
      ["left", "left", "right", "right", "left"],
      undefined,
      ["owner"],
    ),
  );
}

async function showRows(backup: OpenBackup, object: string | undefined, options: Options): Promise<void> {
  if (object === undefined) {
    throw new UsageError("No table is named", "Add the table: show BACKUP SCHEMA.TABLE --rows");
  }
  const found = tableNamed(backup.archive.entries, object);
  if (found === null) {
    const tables = objectsOf(backup).filter(({ columns }) => columns !== undefined);
    throw missingObjectError(backup, object, similarNames(tables, object), "no rows of");
  }
  const { whereKey, csv, json } = options;
  const limit = options.limit ?? (csv ? Infinity : FIRST_ROWS);
  const rows = whereKey ? await rowsWithKey(backup, found, whereKey) : rowsOf(backup.archive, found);
  if (csv) return await writeCsv(found, rows, limit);
  const shown: (string | null)[][] = [];
  let more = false;
  for await (const row of rows) {
    more = shown.length === limit;
    if (more) break;
    shown.push(row);
  }
  const { schema, name, columns } = found;
  if (json) return printJson({ backup: backup.name, table: `${schema}.${name}`, columns, rows: shown, more });
  printResult(...table(columns, shown.map((row) => row.map((value) => value ?? colors.dim("null")))));
  if (more) note(`there are more rows; add --limit NUMBER, or --csv for all`);
}

async function rowsWithKey(
  { name, archive }: OpenBackup,
  table: StoredTable,
  values: readonly string[],
): Promise<(string | null)[][]> {
  const row = await findRow(archive, table, keyOf(table, values), values);
  if (row !== null) return [row];
  throw new CommandError(
    `Backup ${name} has no row "${values.join(", ")}" in ${table.schema}.${table.name}`,
    `Values are compared as PostgreSQL prints them. \`find ${table.schema}.${table.name} ${
      values.join(" ")
    }\` looks in all backups.`,
  );
}

/** Writes rows as they come, so that a table of any size can go into a file. A terminal gets no control characters. */
async function writeCsv(
  { columns }: StoredTable,
  rows: AsyncIterable<(string | null)[]> | Iterable<(string | null)[]>,
  limit: number,
): Promise<void> {
  const output = binaryOutput();
  const encoder = new TextEncoder();
  const write = async (values: readonly (string | null)[]) => {
    const line = csvLine(values);
    if (output.isTerminal()) return printResult(line);
    const encoded = encoder.encode(`${line}\n`);
    for (let sent = 0; sent < encoded.length;) sent += await output.write(encoded.subarray(sent));
  };
  await write(columns);
  let written = 0;
  for await (const row of rows) {
    if (written++ === limit) return;
    await write(row);
  }
}

function missingObjectError(
  { name }: OpenBackup,
  object: string,
  similar: readonly string[],
  has = "no object",
): CommandError {
  return new CommandError(
    `Backup ${name} has ${has} "${object}"`,
    similar.length > 0 ? `There are ${similar.join(", ")}.` : "Names are schema.name, not quoted.",
  );
}
