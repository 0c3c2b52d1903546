/** The search_path that the backed-up database had. */
import type { Entry } from "../entry.ts";
import { quoted } from "./names.ts";

/**
 * PostgreSQL's own default, and the schema in which the platform keeps extensions. A schema that is not there is passed
 * over.
 */
const DEFAULT = '"$user", public, extensions';

/** Returns it as SQL: `ALTER DATABASE … SET search_path` of the archive, else the usual one. */
export function searchPathOf(entries: readonly Entry[]): string {
  for (const { desc, definition } of entries) {
    if (desc !== "DATABASE PROPERTIES") continue;
    const [, path] = /^ALTER DATABASE \S.* SET search_path TO (.*);$/m.exec(definition ?? "") ?? [];
    if (path !== undefined && LIST.test(path)) return path;
  }
  return DEFAULT;
}

/** Returns it for one entry: what it does not find may be in the entry's own schema. */
export function pathFor(path: string, { namespace }: Pick<Entry, "namespace">): string {
  return namespace ? `${path}, ${quoted(namespace)}` : path;
}

/** A list of names and text constants, as pg_dump writes it, and nothing behind it. */
const LIST = /^(?:'(?:[^'\\]|'')*'|"(?:[^"]|"")*"|[\w$]+)(?:, (?:'(?:[^'\\]|'')*'|"(?:[^"]|"")*"|[\w$]+))*$/;
