/** Row level security as a fact of each table: a target may switch it on for every new table. */
import { literal } from "../catalog/catalog.ts";
import type { Entry } from "../entry.ts";
import type { Account } from "./account.ts";
import type { Connection } from "./connection.ts";
import { qualified } from "./names.ts";
import type { Substituted } from "./engine.ts";
import { type ServerError, words } from "./server_error.ts";
import { IDENTIFIER, QUALIFIED } from "./sql_names.ts";

const RESTRICTIVE = new RegExp(`^CREATE POLICY (${IDENTIFIER}) ON (${QUALIFIED}) AS RESTRICTIVE `);

/** Puts a policy that keeps everybody out into the place of a restrictive one, without which others would see more. */
export async function closeInstead(
  connection: Connection,
  { definition }: Entry,
  error: ServerError,
): Promise<Substituted | null> {
  const [, name, table] = RESTRICTIVE.exec(definition ?? "") ?? [];
  if (name === undefined) return null;
  const attempt = await connection.attempt(`create policy ${name} on ${table} as restrictive using (false)`);
  if ("error" in attempt) return null;
  return {
    changed: {
      how: "a policy of this name keeps everybody out, so that nobody sees more rows than before",
      why: words(error),
      mend: [`drop policy ${name} on ${table};`, definition!.trim()],
    },
  };
}

/** Returns grants so that those of a table wait for its row level security and its restrictive policies. */
export function withGuards(grants: readonly Entry[], entries: readonly Entry[]): Entry[] {
  const tables = new Map(
    entries.filter(({ desc }) => desc === "TABLE").map((table) => [table.dumpId, nameOf(table)]),
  );
  const guards = new Map<number, number[]>();
  for (const entry of entries) {
    const { desc, dumpId, definition, dependencies } = entry;
    if (desc !== "ROW SECURITY" && !(desc === "POLICY" && RESTRICTIVE.test(definition ?? ""))) continue;
    // A policy may ask other tables as well: its tag begins with its own.
    const table = dependencies.find((id) =>
      tables.has(id) && `${nameOf(entry).slice(0, -1)} `.startsWith(`${tables.get(id)!.slice(0, -1)} `)
    );
    if (table !== undefined) guards.set(table, [...guards.get(table) ?? [], dumpId]);
  }
  return grants.map((grant) => ({
    ...grant,
    dependencies: [...grant.dependencies, ...grant.dependencies.flatMap((id) => guards.get(id) ?? [])],
  }));
}

/** Switches it off where the backup has it off, in tables that the entries have created. */
export async function restoreRowSecurity(
  connection: Connection,
  entries: readonly Entry[],
  waiting: ReadonlyMap<number, unknown>,
  account: Account,
): Promise<void> {
  const secured = new Set(entries.filter(({ desc }) => desc === "ROW SECURITY").map(nameOf));
  const open = new Set(
    entries.filter((entry) =>
      entry.desc === "TABLE" && !waiting.has(entry.dumpId) && !secured.has(nameOf(entry))
    )
      .map(nameOf),
  );
  if (open.size === 0) return;
  const found = await connection.attemptQuery<{ name: string }>(`
    select pg_catalog.format('%I.%I', n.nspname, c.relname) as name
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relrowsecurity and pg_catalog.format('"%s"."%s"',
      pg_catalog.replace(n.nspname, '"', '""'), pg_catalog.replace(c.relname, '"', '""'))
      = any (array[${[...open].map(literal).join(", ")}])`);
  if ("error" in found) return;
  for (const { name } of found.result) {
    const off = await connection.attempt(`alter table ${name} disable row level security`);
    if ("result" in off) {
      account.notes.push(
        `The target had switched row level security on for ${name}; it is off, as in the backup`,
      );
      continue;
    }
    account.changed.push({
      entry: `TABLE ${name}`,
      how: "row level security is on, and no policy lets anybody read",
      why: words(off.error),
      mend: [`alter table ${name} disable row level security;`],
    });
  }
}

function nameOf({ namespace, tag }: Entry): string {
  return qualified(namespace, tag);
}
