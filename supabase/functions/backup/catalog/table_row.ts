/** What the query of tables returns of each. */
import type { Check } from "./check_constraints.ts";
import type { RelationRow } from "./relations.ts";
import type { TableDataRow } from "./table_data.ts";

export interface TableRow extends RelationRow, TableDataRow {
  kind: "r" | "p" | "f";
  unlogged: boolean;
  /** Of a partition its bound. */
  bound: string | null;
  partitionKey: string | null;
  /** The type of a typed table. */
  ofType: string | null;
  tablespace: string;
  accessMethod: string | null;
  options: string[] | null;
  toastOptions: string[] | null;
  replicaIdentity: "d" | "n" | "f" | "i";
  forcesRowSecurity: boolean;
  /** Quoted names, in the order of inheritance. */
  parents: { oid: number; name: string }[] | null;
  /** For parseColumns(). */
  columns: string | null;
  checks: Check[] | null;
  server: string | null;
  serverOptions: string | null;
}
