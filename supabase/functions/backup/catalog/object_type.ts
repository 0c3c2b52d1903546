/** What every object type has: one query, and a reader of its rows. */
import type { Catalog } from "./catalog.ts";

/**
 * Objects of one type, which one query reads. Queries run with `pg_catalog, pg_temp` as search_path, so that every name
 * which is not qualified is pg_catalog's, and expressions print their names qualified. Rows arrive as JSON made by the
 * server: arrays are arrays, names, aclitems and "char" are text; an oid must be cast to int8 to be a number, a bigint
 * that may not fit a number to text. Order a query by oid, as the catalogs mostly are.
 */
// deno-lint-ignore no-explicit-any -- each object type knows its own rows; the reader only carries them.
export interface ObjectType<Row = any> {
  readonly name: string;
  /**
   * The query for a server of this version (server_version_num), run by a superuser or not; `null` when the server has
   * no such objects. A column that the role may not read must not be named: it would end the transaction.
   */
  query(version: number, superuser: boolean): string | null;
  /**
   * Adds the row's objects to the catalog. Object types are read in pg_dump's order, so that a row finds what it refers
   * to.
   */
  read(row: Row, catalog: Catalog): void;
}
