/**
 * RESTORE.md beside a backup, followed to the letter where there is no Supabase project: stock programs, none of our
 * tools.
 */
import assert from "node:assert/strict";
import postgres from "postgres";
import { startCluster } from "../../stack/postgres/cluster.ts";
import type { Manifest } from "../../supabase/functions/backup/manifest/manifest.ts";
import { restoreNotes } from "../../supabase/functions/backup/restore_guide/restore_notes.ts";
import type { Project } from "../e2e/project.ts";
import { backedUpProject } from "./scene.ts";

/** The commands of a section of the notes. */
function commandsOf(notes: string, section: string): string {
  const [, commands] =
    new RegExp(`^## ${section}[^\\n]*\\n[^#]*?\`\`\`sh\\n([\\s\\S]*?)\`\`\``, "m").exec(notes) ?? [];
  assert.ok(commands, `RESTORE.md has commands for ${section}`);
  return commands;
}

async function download(project: Project, name: string, folder: string): Promise<void> {
  for (const file of (await project.stored())[name]!) {
    const { data, error } = await project.client.storage.from("backups").download(`${name}/${file}`);
    assert.equal(error, null);
    await Deno.writeFile(`${folder}/${file}`, new Uint8Array(await data!.arrayBuffer()));
  }
}

const TABLES = [["public", "plays", 10], ["pg_catalog", "pg_largeobject_metadata", 99]] as const;
const MANIFEST = {
  name: "backup-20261122-030000",
  snapshotAt: "2026-11-22T03:00:00Z",
  parts: [],
  warnings: [],
  server: { version: "15.20", database: "theatre" },
  totals: { tables: 2, rows: 2, rawBytes: 109, storedBytes: 9, parts: 0 },
  tables: TABLES.map(([schema, name, rawBytes]) => ({ schema, name, rows: 1, rawBytes })),
} as unknown as Manifest;

Deno.test("RESTORE.md counts no large objects among the largest tables", () => {
  assert.match(restoreNotes(MANIFEST, []), /^Largest tables: public\.plays \(1 rows\)\.$/m);
});

Deno.test("RESTORE.md creates roles whose names end lines and quotes", async () => {
  const names = ["a\nSQL\ntouch witness\n", 'b"; drop role owner; --', "c\\\t'\u202e", "d:owner"];
  const notes = restoreNotes(MANIFEST, names);
  const server = await startCluster({ superuser: "owner" });
  const sql = postgres(server.url(), { max: 1 });
  try {
    const { hostname, port, username } = new URL(server.url());
    const [create] = /^psql [\s\S]*?^SQL$/m.exec(notes)!;
    const { success, stderr } = await new Deno.Command("bash", {
      args: ["-eu", "-c", create],
      env: {
        PATH: `${server.binDir}:${Deno.env.get("PATH")}`,
        PGHOST: hostname,
        PGPORT: port,
        PGUSER: username,
      },
      stdin: "null",
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    assert.deepEqual(
      (await sql`select rolname as name from pg_roles where rolname !~ '^(pg_|owner)' order by 1`).map((
        { name },
      ) => name),
      names,
    );
  } finally {
    await sql.end();
    await server.stop();
  }
});

Deno.test("RESTORE.md, followed on servers of one's own", async (test) => {
  const folder = await Deno.makeTempDir();
  const { project, name } = await backedUpProject();
  const { binDir } = project.stack.database.cluster;
  /** Runs commands in the downloaded folder against the server at `url`. */
  const shell = async (commands: string, url: string) => {
    const { hostname, port, username, password } = new URL(url);
    const { code, stdout, stderr } = await new Deno.Command("bash", {
      args: ["-eu", "-o", "pipefail", "-c", commands],
      cwd: folder,
      env: {
        PATH: `${binDir}:${Deno.env.get("PATH")}`,
        PGHOST: hostname,
        PGPORT: port,
        PGUSER: username,
        PGPASSWORD: decodeURIComponent(password),
      },
      stdin: "null",
    }).output();
    const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    return { code, out: out!, error: error! };
  };
  try {
    await download(project, name, folder);
    const notes = await Deno.readTextFile(`${folder}/RESTORE.md`);

    await test.step("names this backup, its database and its tables", () => {
      assert.match(notes, new RegExp(`^# ${name}\\n`));
      assert.match(notes, /tables of the database `postgres` \(PostgreSQL \d+/);
      assert.match(notes, /^Largest tables: \w+\.\w+ \(\d+ rows\), /m);
    });

    await test.step("checks the parts, joins them, and lists them", async () => {
      const { code, out, error } = await shell(commandsOf(notes, "1"), project.stack.databaseUrl);
      assert.equal(code, 0, error);
      assert.match(out, /00000\.dump: OK/);
      assert.match(out, /TABLE DATA public diary postgres/);
    });

    await test.step("gives the rows of one table", async () => {
      const { code, error } = await shell(
        commandsOf(notes, "2a").replaceAll("TABLE", "diary"),
        project.stack.databaseUrl,
      );
      assert.equal(code, 0, error);
      assert.match(await Deno.readTextFile(`${folder}/rows.sql`), /COPY public\.diary [\s\S]*page 5\n\\\.\n/);
    });

    await test.step("restores into a server of one's own; whatever fails there is an extension's", async () => {
      const server = await startCluster({ superuser: "owner" });
      try {
        const { error } = await shell(commandsOf(notes, "2b"), server.url());
        const [, ...failures] = error.split("pg_restore: error: ").map((text) => text.split("\n")[0]!);
        for (const failure of failures) {
          assert.match(failure, /pg_cron|cron/);
        }
        const sql = postgres(server.url("restored"), { max: 1 });
        assert.equal((await sql`select from public.diary`).length, 5);
        assert.equal((await sql`select from auth.users`).length, 3);
        await sql.end();
      } finally {
        await server.stop();
      }
    });
  } finally {
    await project[Symbol.asyncDispose]();
    await Deno.remove(folder, { recursive: true });
  }
});
