/**
 * `npm run migrations -- NAME`: writes what the schemas and supabase/setup have and the migrations lack as a further
 * migration. Without a name it only looks, and fails when there is something. Released migrations are never written
 * again.
 */
import {
  changedPaths,
  type Frozen,
  readFrozen,
  readMigrations,
  readSchemas,
  readSetup,
  type Texts,
  writeFrozen,
} from "./frozen.ts";
import { schemaDifference } from "./schema_difference.ts";

/** `init` leaves out migrations whose names hold this word, where it is asked to. */
const VERSIONING_SUFFIX = "_versioning";

/** Returns what keeps the migrations from being what projects have applied, plus what the sources say. */
export function migrationFaults(frozen: Frozen, migrations: Texts, sources: Texts): string[] {
  return [
    ...thawed(frozen, migrations).map((path) =>
      `supabase/${path} is frozen: projects have applied it. Restore it from version control, and write what changes as a ` +
      "further migration: npm run migrations -- NAME"
    ),
    ...[...migrations.keys()].filter((path) => !(path in frozen.migrations)).map((path) =>
      `supabase/${path} is not in build/frozen.json. Run: npm run migrations -- NAME`
    ),
    ...changedPaths(frozen.sources, sources).map((path) =>
      `No migration has what changed in supabase/${path}. Run: npm run migrations -- NAME`
    ),
  ];
}

/** Returns the frozen migrations that are changed or gone. */
function thawed(frozen: Frozen, migrations: Texts): string[] {
  return changedPaths(frozen.migrations, migrations).filter((path) => path in frozen.migrations);
}

/**
 * Returns the texts of the migrations that the sources need, by what their names end with. What concerns versioning is
 * a migration of its own, because a project may leave versioning out.
 */
export async function nextMigrations(
  frozen: Frozen,
  migrations: Texts,
  schemas: Texts,
  setup: Texts,
): Promise<Map<string, string>> {
  const difference = await schemaDifference(migrations.values(), schemas.values());
  // Each file of the setup may run any number of times, so a changed one simply runs again.
  const changed = changedPaths(frozen.sources, new Map([...schemas, ...setup]));
  const again = changed.map((path) => setup.get(path) ?? "");
  const comments = (folder: string) =>
    changed.filter((path) => path.startsWith(`schemas/${folder}/`)).map((path) =>
      viewComments(schemas.get(path) ?? "")
    );
  const texts = [
    ["", [difference.backup, ...again, ...comments("backup")]],
    [VERSIONING_SUFFIX, [difference.versioning, ...comments("versioning")]],
  ] as const;
  return new Map(
    texts.map(([suffix, parts]) =>
      [
        suffix,
        // Each migration may run twice.
        parts.map((part) => part.trim().replaceAll("ADD COLUMN ", "ADD COLUMN IF NOT EXISTS "))
          .filter((part) => part !== "").join("\n\n"),
      ] as const
    ).filter(([, text]) => text !== ""),
  );
}

/** Returns the comments on columns of views in a schema's text: db diff leaves them out. */
export function viewComments(text: string): string {
  const views = [...text.matchAll(/^create (?:or replace )?view ([\w.]+)/gm)].map(([, name]) => name!);
  return [...text.matchAll(/^comment on column ([\w.]+)\.[^;]*?'(?:[^']|'')*'(?:\s*'(?:[^']|'')*')*;$/gm)]
    .filter(([, relation]) => views.includes(relation!)).map(([statement]) => statement).join("\n");
}

async function main(name: string | undefined): Promise<void> {
  const frozen = await readFrozen();
  const [migrations, schemas, setup] = await Promise.all([readMigrations(), readSchemas(), readSetup()]);
  const faults = migrationFaults(frozen, migrations, new Map([...schemas, ...setup]));
  if (faults.length === 0) return console.log("The migrations have everything that the schemas say.");
  if (name === undefined || thawed(frozen, migrations).length > 0) {
    console.error(faults.join("\n"));
    Deno.exit(1);
  }
  if (!/^[a-z][a-z0-9_]*$/.test(name) || name.includes("versioning")) {
    console.error(
      `"${name}" is not a name for a migration: use lower case letters, digits and underscores, without the word versioning.`,
    );
    Deno.exit(1);
  }
  const texts = await nextMigrations(frozen, migrations, schemas, setup);
  if (texts.size === 0) {
    console.log("The sources have changed, but the database that they make has not: no migration is needed.");
  }
  let time = BigInt(new Date().toISOString().replace(/\D/g, "").slice(0, 14));
  for (const [suffix, text] of texts) {
    const path = `migrations/${time++}_${name}${suffix}.sql`;
    await Deno.writeTextFile(new URL(`../supabase/${path}`, import.meta.url), `${text}\n`);
    console.log(
      `Written: supabase/${path}. Read it: db diff may drop and create what only changes its name.`,
    );
  }
  await writeFrozen();
}

if (import.meta.main) await main(Deno.args[0]);
