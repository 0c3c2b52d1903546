/** Rows whose text is larger than what the server can hand out: 1 GB, twice the bytes of a bytea. */
import { isPlannable } from "../catalog/plannable.ts";
import { BackupError } from "../errors.ts";
import type { Session } from "../postgres/session.ts";
import type { Piece } from "./piece.ts";

/** MaxAllocSize of PostgreSQL is 1,073,741,823; other columns and separators take something. */
const LARGEST_TEXT = 1_073_000_000;

/** Returns whether the server could not make a row's text. It says so in the words of its allocator. */
export function isTooLarge(error: unknown): boolean {
  const { code, message = "" } = (error ?? {}) as { code?: string; message?: string };
  return code === "54000" || (code === "XX000" && message.includes("invalid memory alloc request size"));
}

export class RowTooLargeError extends BackupError {
  readonly piece: Piece;

  constructor(piece: Piece, key: string | null, cause: unknown) {
    const row = key === null ? "a row" : `the row ${key}`;
    super(
      "row_too_large",
      `Cannot export ${row} of table ${piece.table}: its text is larger than 1 GB, the most that the server can hand out`,
      "Shorten the value, or leave the rows of this table out: " +
        `select backup.configure(leave_out => '{${piece.table.replaceAll('"', "").replaceAll("'", "''")}}')`,
      cause,
    );
    this.piece = piece;
  }
}

/**
 * Returns the error with the row's key, where that is cheap: by the sizes that values are stored with, and only where
 * planning a query of the table runs nobody's code. `exporter` is in the snapshot, `control` is not.
 */
export async function withKey(
  exporter: Session,
  control: Session,
  { piece, cause }: RowTooLargeError,
): Promise<RowTooLargeError> {
  const key = piece.guarded || !await isPlannable(control, piece.table)
    ? null
    : await keyOf(exporter, piece.table);
  return new RowTooLargeError(piece, key, cause);
}

interface Columns {
  key: string[] | null;
  bytes: string[] | null;
  text: string[] | null;
}

/** As JSON: the session does not know the types of arrays. */
const COLUMNS = `
  select (
      select pg_catalog.json_agg(pg_catalog.quote_ident(k.attname) order by pg_catalog.array_position(i.indkey::pg_catalog.int2[], k.attnum))
      from pg_catalog.pg_index i join pg_catalog.pg_attribute k on k.attrelid = i.indrelid and k.attnum = any (i.indkey)
      where i.indrelid = c.oid and i.indisprimary
    ) as key,
    pg_catalog.json_agg(pg_catalog.quote_ident(a.attname)) filter (where a.atttypid = 17) as bytes,
    pg_catalog.json_agg(pg_catalog.quote_ident(a.attname)) filter (where a.atttypid in (25, 1043)) as text
  from pg_catalog.pg_class c join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.oid = pg_catalog.to_regclass($1)
  group by c.oid`;

/** Returns `(id) = (1)`; null where no column of bytes or text is as large, or there is no primary key. */
async function keyOf({ sql }: Session, table: string): Promise<string | null> {
  const [columns] = await sql.unsafe<Columns[]>(COLUMNS, [table]);
  const { key = null, bytes, text } = columns ?? { bytes: null, text: null };
  const sizes = [
    ...(bytes ?? []).map((column) => `2 * coalesce(pg_catalog.octet_length(${column}), 0)::pg_catalog.int8`),
    ...(text ?? []).map((column) => `coalesce(pg_catalog.octet_length(${column}), 0)::pg_catalog.int8`),
  ];
  if (key === null || sizes.length === 0) return null;
  const list = key.join(", ");
  const [row] = await sql.unsafe<{ key: string }[]>(`
    select pg_catalog.textin(pg_catalog.record_out(row(${list}))) as key
    from only ${table} where ${sizes.join(" + ")} > ${LARGEST_TEXT} limit 1`);
  return row === undefined ? null : `(${list}) = ${row.key}`;
}
