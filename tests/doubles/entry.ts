/** An entry of a table of contents, for tests that care for some of its fields only. */
import type { Entry } from "../../supabase/functions/backup/entry.ts";

const PLAIN: Omit<Entry, "dumpId" | "desc" | "tag"> = {
  tableoid: 0,
  oid: 0,
  section: "pre-data",
  definition: null,
  drop: null,
  copy: null,
  namespace: "public",
  tablespace: null,
  tableam: null,
  owner: "postgres",
  dependencies: [],
  hasData: false,
};

/** Returns an entry of the schema public and of `postgres`, where the fields say nothing else. */
export function entryOf(fields: Partial<Entry> & Pick<Entry, "dumpId" | "desc" | "tag">): Entry {
  return { ...PLAIN, ...fields };
}
