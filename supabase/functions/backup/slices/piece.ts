/** A piece: the rows of one table, or of a range of it, as a run of bytes of the archive. */

/** Stored as JSON with its slice: a worker that claims the slice needs nothing else to export it. */
export interface Piece {
  dumpId: number;
  /** Quoted and qualified. */
  table: string;
  owner: string;
  /** `(a, b)`, quoted; `""` for a table without columns. */
  columns: string;
  /** `WHERE …` of extension configuration tables; of large objects the condition of their group; else `""`. */
  filter: string;
  /** Place of the first row, `(page,line)`, or first large object's OID; null from the beginning. */
  from: string | null;
  /** Place before which it ends; null for all there is. */
  to: string | null;
  /** Begins, and ends, the table's data. */
  first: boolean;
  last: boolean;
  /** The owner of the table is not trusted: a piece that is not the whole table needs a guard. */
  guarded?: true;
  /** Large objects instead of a table's rows. */
  largeObjects?: true;
}

export interface PieceResult {
  dumpId: number;
  /** Or large objects. */
  rows: number;
  /** COPY text, with the end mark of a last piece. */
  rawBytes: number;
  /** Adler-32 of the COPY text; of large objects, which have one each, it says nothing. */
  adler32: number;
  storedBytes: number;
}

/** Returns pg_dump's own statement for a whole table, and a query where only some rows are wanted. */
export function copyStatement({ table, columns, filter, from, to }: Piece): string {
  if (filter === "" && from === null && to === null) {
    return `COPY ${table} ${columns} TO stdout`;
  }
  const list = columns.replace(/^\(|\)$/g, "");
  if (filter !== "") {
    return `COPY (SELECT ${list} FROM ${table} ${filter}) TO stdout`;
  }
  const bounds = [
    ...(from === null ? [] : [`ctid >= '${from}'::pg_catalog.tid`]),
    ...(to === null ? [] : [`ctid < '${to}'::pg_catalog.tid`]),
  ];
  return `COPY (SELECT ${list} FROM ONLY ${table} WHERE ${bounds.join(" AND ")}) TO stdout`;
}
