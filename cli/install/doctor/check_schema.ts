/** Does the database have the schema that this release needs? */
import type { Sql } from "postgres";
import { compareVersions } from "../../../supabase/functions/backup/version.ts";
import { installVersion } from "../../project/versions.ts";
import { commandLine } from "../../terminal/called_as.ts";
import { counted } from "../../terminal/format.ts";
import { foreignSchemas, RENAME } from "../foreign_schemas.ts";
import { failed, type Finding, ok } from "./finding.ts";

export interface DatabaseContext {
  version: string;
  /** Where the linked project's function answers; null where no project is linked. */
  expectedUrl: string | null;
  /** Files of the migrations that are installed in the folder. */
  migrations: string[];
  /** The command that applies them. */
  push: string;
}

/** Returns the findings, and whether there is a schema to look into. */
export async function checkSchema(
  sql: Sql,
  context: DatabaseContext,
): Promise<{ installed: boolean; found: Finding[] }> {
  const [schema] = await sql<{ installed: boolean; versioned: boolean }[]>`
    select to_regclass('backup.log') is not null as installed,
      to_regprocedure('backup.version()') is not null as versioned`;
  const { installed, versioned } = schema!;
  if (!installed) {
    const foreign = await foreignSchemas(sql, true);
    if (foreign.length > 0) return { installed, found: [failed("schema", foreign.join("; "), RENAME)] };
    const missing = failed(
      "schema",
      "There is no schema backup in the database",
      `Run \`${context.push}\`.`,
    );
    return { installed, found: [missing] };
  }
  return {
    installed,
    found: [await checkVersion(sql, versioned, context), await checkMigrations(sql, context)],
  };
}

async function checkVersion(
  sql: Sql,
  versioned: boolean,
  { version: wanted, push }: DatabaseContext,
): Promise<Finding> {
  const [row] = versioned ? await sql<{ version: string }[]>`select backup.version() as version` : [];
  if (row?.version === wanted) return ok("schema", row.version);
  const found = row?.version ?? "unknown";
  return failed(
    "schema",
    `The schema is version ${found}, this command is ${wanted}`,
    row !== undefined && compareVersions(found, wanted) > 0
      ? installVersion(found)
      : `Run \`${commandLine("upgrade")}\`, then \`${push}\`.`,
  );
}

/** The CLI records by its time which migration is applied. */
async function checkMigrations(sql: Sql, { migrations, push }: DatabaseContext): Promise<Finding> {
  const [history] = await sql<{ found: boolean }[]>`
    select to_regclass('supabase_migrations.schema_migrations') is not null as found`;
  const applied = history!.found
    ? await sql<{ version: string }[]>`select version from supabase_migrations.schema_migrations`
    : [];
  const missing = migrations.filter((file) => !applied.some(({ version }) => file.startsWith(`${version}_`)));
  if (missing.length === 0) return ok("migrations applied", counted(migrations.length, "migration"));
  // The CLI applies one that is older than the last one only if it is told to.
  const late = applied.some(({ version }) => version > missing[0]!);
  return failed(
    "migrations applied",
    `Not applied: ${missing.join(", ")}`,
    `Run \`${push}${late ? " --include-all" : ""}\`.`,
  );
}
