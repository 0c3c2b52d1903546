/** `RESTORE.md` beside each backup: how to get the data back, with this backup's own names and without any tool of ours. */
import { INVENTORY_NAME } from "./inventory.ts";
import { LARGE_OBJECTS, type Manifest } from "./manifest.ts";
import { isPlatformRole } from "./project_entries.ts";
import { LIST_NAME } from "./restore_list.ts";

/** Its name in the backup's folder. */
export const NOTES_NAME = "RESTORE.md";

/** What lies beside the parts of a backup and is no part of it. */
export const COMPANIONS: ReadonlySet<string> = new Set([
  NOTES_NAME,
  LIST_NAME,
  INVENTORY_NAME,
  `${INVENTORY_NAME}.age`,
]);

const LARGEST = 5;

/** What a restore counts on: superusers own event triggers, and a view is refreshed as its owner. */
const ATTRIBUTES: Record<string, string> = {
  supabase_admin: " superuser",
  postgres: " bypassrls",
  service_role: " bypassrls",
};

/** Markdown. Holds nothing secret: names, counts and commands. `roles` are those that the archive names. */
export function restoreNotes(manifest: Manifest, roles: readonly string[]): string {
  const ownRoles = roles.filter(isOwn);
  const { name, server, snapshotAt, totals, parts, warnings, encryption } = manifest;
  const major = server.version.split(".")[0];
  return `# ${name}

${totals.rows} rows of ${totals.tables} tables of the database \`${server.database}\` (PostgreSQL ${server.version}), as they were at
${snapshotAt}. It is an archive of \`pg_dump\`'s custom format in ${parts.length} part${
    parts.length === 1 ? "" : "s"
  }, ${totals.storedBytes} bytes.

Largest tables: ${largest(manifest)}.
${
    warnings.length === 0
      ? ""
      : `\nNot in it, or odd: ${warnings.map(({ object, message }) => `${object}: ${message}`).join("; ")}.\n`
  }${encryption === undefined ? "" : encryptedTo(encryption.recipients)}
With the project's tools: \`npm run restore -- --backup ${name}${
    encryption === undefined ? "" : " --identity KEY"
  }\`. Without them, in the downloaded folder:

## 1. Check and join

\`\`\`sh
jq -r '.parts[] | "\\(.sha256)  \\(.name)"' manifest.json | sha256sum -c
${
    encryption === undefined
      ? `cat [0-9]*.dump > ${name}.dump`
      : `for part in [0-9]*.dump.age; do age -d -i KEY "$part" || break; done > ${name}.dump`
  }
pg_restore -l ${name}.dump | less        # what is in it
\`\`\`

\`pg_restore\` 12 or later reads it. Take the one of the target's version: from 17 on it sends a setting that older servers refuse. The target should
be PostgreSQL ${major} or later.

## 2a. One table, next to the living one

\`\`\`sh
pg_restore -a -n public -t TABLE -f rows.sql ${name}.dump
\`\`\`

\`rows.sql\` is one COPY statement: change the table's name in it, and it fills a copy (\`create table copy (like public.TABLE)\`).

## 2b. A PostgreSQL server of your own

Roles belong to a server, not to a database, so they are not in the archive: these are the ones that it names.

\`\`\`sh
${createRoles(roles)}createdb restored
pg_restore -d restored ${name}.dump
\`\`\`

Errors about roles that are there already, about extensions that the server does not have, and about what needs these, are to be expected. pg_cron's jobs come back **active**
where it is installed: \`update cron.job set active = false\`.

## 2c. A new Supabase project

\`PGPASSWORD\` holds its password; \`PGHOST\`, \`PGPORT\` and \`PGUSER\` are in its dashboard under Connect (session, not transaction, pooler).
New tables there are granted to the API's roles by themselves; so take these grants away first: the backup brings the right ones.

\`\`\`sh
${
    createRoles(ownRoles)
  }psql -d postgres -c "alter default privileges in schema public revoke all on tables from anon, authenticated, service_role" \\
  -c "alter default privileges in schema public revoke all on functions from anon, authenticated, service_role" \\
  -c "alter default privileges in schema public revoke all on sequences from anon, authenticated, service_role"
pg_restore --no-owner --single-transaction -L ${LIST_NAME} -d postgres ${name}.dump
\`\`\`

\`${LIST_NAME}\` leaves out what belongs to the platform. All of it comes back, or nothing: an error ends the transaction, and names the entry.
Then, by hand:

${
    ownRoles.length === 0
      ? ""
      : `- Your roles cannot log in yet, nobody is a member of them, and what they owned is \`postgres\`'s: ${
        ownRoles.join(", ")
      }.\n`
  }- pg_cron's jobs: \`pg_restore -a -n cron -t job -f - ${name}.dump\` shows them; schedule those you want with \`cron.schedule()\`.
- Webhooks: the lines that begin with a semicolon in \`${LIST_NAME}\`.
- Vault: its secrets are encrypted with a key that is not in the database. Enter them again, or ask for the old project's key while it exists:
  \`supabase encryption get-root-key\`.
- Storage's files, Edge Functions and their secrets, and the settings of Auth are not in any backup of the database; \`${INVENTORY_NAME}\` lists the files.
- Backups themselves: \`select backup.configure(function_url => 'https://<new-ref>.supabase.co/functions/v1/backup')\`.
`;
}

function encryptedTo(recipients: readonly string[]): string {
  return `
Each part is encrypted with age (https://age-encryption.org) to ${recipients.join(" and ")}.
\`KEY\` is the file with the secret half. Without it nobody can read this backup.
`;
}

function createRoles(roles: readonly string[]): string {
  if (roles.length === 0) return "";
  const statements = roles.map((role) => `create role ${quoted(role)} nologin${ATTRIBUTES[role] ?? ""};`);
  // In a project postgres is a member of each role that a user has made.
  if (roles.includes("postgres")) {
    statements.push(...roles.filter(isOwn).map((role) => `grant ${quoted(role)} to postgres;`));
  }
  return `psql -d postgres <<'SQL'\n${statements.join("\n")}\nSQL\n`;
}

function isOwn(role: string): boolean {
  return role !== "postgres" && !isPlatformRole(role);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function largest({ tables }: Manifest): string {
  const shown = tables.filter(({ schema }) => schema !== LARGE_OBJECTS.schema).sort((a, b) =>
    b.rawBytes - a.rawBytes
  ).slice(0, LARGEST);
  return shown.map(({ schema, name, rows }) => `${schema}.${name} (${rows} rows)`).join(", ") || "none";
}
