/** `RESTORE.md` beside each backup: how to restore it with stock programs, with this backup's own names. */
import { codeSpan, identifier, markdown } from "../visible_text.ts";
import { LIST_NAME, ROLES_NAME } from "../manifest/companions.ts";
import { INVENTORY_NAME } from "../manifest/inventory.ts";
import { LARGE_OBJECTS, type Manifest } from "../manifest/manifest.ts";
import { isPlatformRole } from "./project_entries.ts";

const LARGEST = 5;

/** Attributes that a restore needs: superusers own event triggers, and a view is refreshed as its owner. */
const ATTRIBUTES: Record<string, string> = {
  supabase_admin: " superuser",
  postgres: " bypassrls",
  service_role: " bypassrls",
};

/** Returns Markdown that holds nothing secret: names, counts and commands. `roles` are those that the archive names. */
export function restoreNotes(manifest: Manifest, roles: readonly string[]): string {
  const ownRoles = roles.filter(isOwn);
  const { name, server, snapshotAt, totals, parts, warnings, encryption } = manifest;
  const major = server.version.split(".")[0];
  return `# ${name}

${totals.rows} rows of ${totals.tables} tables of the database ${codeSpan(server.database)} (PostgreSQL ${
    markdown(server.version)
  }), as they were at
${snapshotAt}. The backup is an archive of \`pg_dump\`'s custom format in ${parts.length} part${
    parts.length === 1 ? "" : "s"
  }, ${totals.storedBytes} bytes.

Largest tables: ${largest(manifest)}.
${
    warnings.length === 0
      ? ""
      : `\nNot in the backup, or unusual: ${
        warnings.map(({ object, message }) => markdown(`${object}: ${message}`)).join("; ")
      }.\n`
  }${encryption === undefined ? "" : encryptedTo(encryption.recipients)}
To restore it with this project's own command: \`supabase-backup restore --backup ${name}${
    encryption === undefined ? "" : " --identity KEY"
  }\`.
It restores what the server accepts and names each exception: exit code 0 means none, 3 some, 1 that nothing was changed.
To restore it with stock programs, download the folder and run these commands in it:

## 1. Check and join

\`\`\`sh
jq -r '.parts[] | "\\(.sha256)  \\(.name)"' manifest.json | sha256sum -c
${
    encryption === undefined
      ? `cat [0-9]*.dump > ${name}.dump`
      : `for part in [0-9]*.dump.age; do age -d -i KEY "$part" || break; done > ${name}.dump\n` +
        `age -d -i KEY ${ROLES_NAME}.age > ${ROLES_NAME}`
  }
pg_restore -l ${name}.dump | less        # list its content
\`\`\`

\`pg_restore\` 12 or later reads the archive. Use the version of the target server: \`pg_restore\` 17 and later send a setting that
older servers refuse. The target should be PostgreSQL ${major} or later.

## 2a. One table, beside the existing one

\`\`\`sh
pg_restore -a -n public -t TABLE -f rows.sql ${name}.dump
\`\`\`

\`rows.sql\` is one COPY statement. Change the table's name in it to fill a copy (\`create table copy (like public.TABLE)\`).

## 2b. A PostgreSQL server of your own

Roles belong to a server, not to a database, so \`pg_restore\` does not create them. These commands create the roles that the archive
names, and \`${ROLES_NAME}\` has the attributes, settings and memberships of all roles, without passwords.

\`\`\`sh
${createRoles(roles)}psql -d postgres -f ${ROLES_NAME}
createdb restored
pg_restore -d restored ${name}.dump
\`\`\`

Expect errors about roles that exist already, about extensions that the server does not have, and about objects that need these
extensions. Where pg_cron is installed, its jobs are restored **active**. To stop them: \`update cron.job set active = false\`.

## 2c. A new Supabase project

Set \`PGPASSWORD\` to its password, and \`PGHOST\`, \`PGPORT\` and \`PGUSER\` to what its dashboard shows under Connect (session pooler,
not transaction pooler). A project grants new tables to the API's roles. The first command revokes these default grants, because the
backup brings its own.

\`\`\`sh
${
    createRoles(ownRoles)
  }psql -d postgres -c "alter default privileges in schema public revoke all on tables from anon, authenticated, service_role" \\
  -c "alter default privileges in schema public revoke all on functions from anon, authenticated, service_role" \\
  -c "alter default privileges in schema public revoke all on sequences from anon, authenticated, service_role"
psql -d postgres -f ${ROLES_NAME}
pg_restore --no-owner --single-transaction -L ${LIST_NAME} -d postgres ${name}.dump
\`\`\`

\`${LIST_NAME}\` leaves out what belongs to the platform. The restore is one transaction: an error names the entry and undoes everything.
Then do the rest by hand:

${
    ownRoles.length === 0
      ? ""
      : `- Your roles have no passwords, and \`postgres\` owns what they owned: ${
        ownRoles.map(markdown).join(", ")
      }.\n`
  }- Jobs of pg_cron: \`pg_restore -a -n cron -t job -f - ${name}.dump\` shows them. Schedule those you want with \`cron.schedule()\`.
- Webhooks: see the lines that begin with a semicolon in \`${LIST_NAME}\`.
- Vault: its secrets are encrypted with a key that is not in the database. Enter them again, or ask for the old project's key while
  the project exists: \`supabase encryption get-root-key\`.
- Storage's files, Edge Functions and their secrets, and the settings of Auth are not in a backup of the database.
  \`${INVENTORY_NAME}\` lists the files.
- Backups: \`select backup.configure(function_url => 'https://<new-ref>.supabase.co/functions/v1/backup')\`.
`;
}

function encryptedTo(recipients: readonly string[]): string {
  return `
Each part is encrypted with age (https://age-encryption.org) to ${recipients.map(markdown).join(" and ")}.
\`KEY\` is the file with the secret key. Without it nobody can read this backup.
`;
}

function createRoles(roles: readonly string[]): string {
  if (roles.length === 0) return "";
  const statements = roles.map((role) => `create role ${identifier(role)} nologin${ATTRIBUTES[role] ?? ""};`);
  // In a project postgres is a member of each role that a user has made.
  if (roles.includes("postgres")) {
    statements.push(...roles.filter(isOwn).map((role) => `grant ${identifier(role)} to postgres;`));
  }
  return `psql -d postgres <<'SQL'\n${statements.join("\n")}\nSQL\n`;
}

function isOwn(role: string): boolean {
  return role !== "postgres" && !isPlatformRole(role);
}

function largest({ tables }: Manifest): string {
  const shown = tables.filter(({ schema }) => schema !== LARGE_OBJECTS.schema).sort((a, b) =>
    b.rawBytes - a.rawBytes
  ).slice(0, LARGEST);
  return shown.map(({ schema, name, rows }) => `${markdown(`${schema}.${name}`)} (${rows} rows)`).join(
    ", ",
  ) || "none";
}
