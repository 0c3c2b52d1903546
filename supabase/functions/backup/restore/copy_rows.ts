/** Rows of one entry, from its data block to the server. */
import type { OpenArchive } from "../archive/reader.ts";
import { BackupError } from "../errors.ts";
import { literal } from "../catalog/catalog.ts";
import type { Entry } from "../entry.ts";
import { type Attempt, type Connection, SEARCH_PATH } from "./connection.ts";
import { labelOf, qualified } from "./names.ts";
import { IDENTIFIER, QUALIFIED } from "./sql_names.ts";

/** Of definitions, which the driver sends in nothing else; rows are sent as they are. */
const ENCODING = "UTF8";

export interface CopyOptions {
  /** Encoding of the archive's rows. */
  encoding: string;
  disableTriggers: boolean;
  /** Under which functions of constraints and generated columns run, where it is not the usual one. */
  path?: string;
}

/** As pg_dump writes it. Anything else might read a file or a program of the server. */
const COPY = new RegExp(
  `^(COPY ${QUALIFIED} (?:\\(${IDENTIFIER}(?:, ${IDENTIFIER})*\\))? ?FROM stdin);\\s*$`,
);

/** Copies all rows. Returns their number, or the server's error. Throws ArchiveError. */
export async function copyRows(
  connection: Connection,
  archive: OpenArchive,
  entry: Entry,
  options: CopyOptions,
): Promise<Attempt<number>> {
  return await connection.attemptCopy(copyStatement(entry, options), archive.rows(entry.dumpId));
}

/** Returns the entry's COPY among what it needs before and after. Throws BackupError for anything but a plain COPY. */
export function copyStatement(entry: Entry, { encoding, disableTriggers, path }: CopyOptions): string {
  const [, copy] = COPY.exec(entry.copy ?? "") ?? [];
  if (copy === undefined) throw notCopyError(entry);
  const table = qualified(entry.namespace, entry.tag);
  const [off, on] = disableTriggers
    ? [`alter table ${table} disable trigger all;\n`, `;\nalter table ${table} enable trigger all`]
    : ["", ""];
  const [to, back] = encoding === ENCODING
    ? ["", ""]
    : [`set client_encoding = ${literal(encoding)};\n`, `;\nset client_encoding = '${ENCODING}'`];
  const [begin, end] = path === undefined
    ? ["", ""]
    : [`set search_path = ${path};\n`, `;\nset search_path = ${SEARCH_PATH}`];
  return `${begin}${off}${to}${copy}${back}${on}${end}`;
}

function notCopyError(entry: Entry): BackupError {
  const how = entry.copy ? "are not read with a plain COPY" : "are INSERT commands, not COPY";
  return new BackupError(
    "restore_failed",
    `Cannot restore ${labelOf(entry)}: its rows ${how}`,
    "Use --with-pg-restore if you trust the archive.",
  );
}
