/** A backup on a plain server: the command as a person types it, the drill, and one table beside the living one. */
import assert from "node:assert/strict";
import postgres, { type Sql } from "postgres";
import { drill } from "../../cli/compare/drill.ts";
import { openArchive } from "../../cli/source/archive_file.ts";
import { checksTable } from "../../cli/compare/checks_table.ts";
import { countOf } from "../../supabase/functions/backup/compare/check.ts";
import {
  MANIFEST_NAME,
  readManifest,
  writeManifest,
} from "../../supabase/functions/backup/manifest/manifest.ts";
import type { Origin } from "../../cli/source/source.ts";
import { type Cluster, startCluster } from "../../stack/postgres/cluster.ts";
import { type Answer, runCli } from "../e2e/command.ts";
import type { Project } from "../e2e/project.ts";
import { backedUpProject, originOf } from "./scene.ts";

const PASSWORD = "s3cret";

/** `npm run restore` (or another command) without npm. */
function run(project: Project, command: string, ...args: string[]): Promise<Answer> {
  return runWith(project, { PGPASSWORD: PASSWORD }, command, ...args);
}

async function runWith(
  project: Project,
  env: Record<string, string>,
  command: string,
  ...args: string[]
): Promise<Answer> {
  const answer = await runCli(project, command, args, env);
  assert.ok(!(answer.out + answer.error).includes(PASSWORD), "no password is printed");
  return answer;
}

function urlWithoutPassword(server: Cluster, database: string): string {
  return server.url(database).replace(/:[^:@/]*@/, "@");
}

Deno.test("a backup on a plain server", async (test) => {
  const workDir = await Deno.makeTempDir();
  const server = await startCluster({ superuser: "owner", password: PASSWORD });
  const admin = postgres(server.url(), { max: 1, onnotice: () => {} });
  const { project, name } = await backedUpProject();
  const to = urlWithoutPassword(server, "theatre");
  const restore = (...args: string[]) =>
    run(project, "restore", "--target-db-url", to, "--work-dir", workDir, ...args);
  let sql!: Sql;
  const empty = async () => {
    await admin`drop database if exists theatre with (force)`;
    await admin`create database theatre`;
  };
  try {
    await empty();
    sql = postgres(server.url("theatre"), { max: 1, onnotice: () => {} });

    await test.step("drills: everything comes back in a scratch server that has pg_cron", async () => {
      const { checks, where } = await drill(originOf(project), name, { checks: "no such folder", workDir });
      const counts = countOf(checks);
      assert.deepEqual([counts.failed, counts.unchecked], [0, 0], checksTable(checks).join("\n"));
      assert.deepEqual(checks[0], {
        what: "manifest",
        outcome: "passed",
        detail: "the one that backup.log recorded",
      });
      assert.ok(counts.passed > 50 && /a scratch server/.test(where));
      assert.ok(
        checks.some(({ what, outcome }) => what === "jobs of pg_cron, inactive" && outcome === "passed"),
      );
    });

    await test.step("refuses a manifest that backup.log does not know, also where all parts are whole", async () => {
      const { bucket } = originOf(project) as Extract<Origin, { kind: "project" }>;
      const path = `${name}/${MANIFEST_NAME}`;
      const stored = await bucket.get(path);
      const manifest = readManifest(stored);
      await bucket.put(
        path,
        writeManifest({ ...manifest, warnings: [], createdAt: "2026-01-01T00:00:00.000Z" }),
        "application/json",
      );
      try {
        const { checks } = await drill(originOf(project), name, { checks: "no such folder", workDir });
        assert.deepEqual(checks.map(({ outcome }) => outcome), ["failed"]);
        const refused = await restore("--backup", name, "--without-missing");
        assert.match(refused.error, /not the one that backup\.log recorded/);
        assert.equal(refused.code, 1);
      } finally {
        await bucket.put(path, stored, "application/json");
      }
    });

    await test.step("shows with --dry-run what would be done, and does nothing", async () => {
      await sql`create function public.forbid() returns event_trigger language plpgsql as
        $$ begin raise exception 'no tables here'; end $$`;
      await sql`create event trigger no_tables on ddl_command_end when tag in ('CREATE TABLE') execute function public.forbid()`;
      const { code, out } = await restore("--backup", "latest", "--dry-run", "--without-missing");
      await sql`drop function public.forbid() cascade`;
      assert.equal(code, 0);
      assert.match(
        out,
        /note: event trigger "no_tables" of the target may refuse .* disabled within the restore/,
      );
      assert.match(out, new RegExp(`from +${name}`));
      assert.match(out, /a plain server/);
      assert.match(out, /public\.diary +│ +– │ +5/);
      assert.match(out, /roles accountant, anon, .* are created, without login/);
      assert.match(out, /left out: pg_cron and \d+ entries/);
      assert.match(out, /Nothing was changed/);
      assert.equal((await sql`select from pg_namespace where nspname = 'books'`).length, 0);
      assert.equal((await admin`select from pg_roles where rolname = 'accountant'`).length, 0);
    });

    await test.step("takes the password from libpq's file, by the project's URL, and not from a file that others may read", async () => {
      const file = `${workDir}/pgpass`;
      await Deno.writeTextFile(file, `127.0.0.1:*:theatre:owner:${PASSWORD}\n`, { mode: 0o600 });
      const withFile = () =>
        runWith(
          project,
          { PGPASSFILE: file },
          "restore",
          "--from",
          project.stack.apiUrl,
          "--backup",
          name,
          "--target-db-url",
          to,
          "--work-dir",
          workDir,
          "--without-missing",
          "--dry-run",
        );
      const right = await withFile();
      assert.equal(right.code, 0, right.error);
      await Deno.chmod(file, 0o644);
      const open = await withFile();
      assert.deepEqual([open.code, /pgpass is ignored.*chmod 600/.test(open.error)], [1, true], open.error);
      assert.match(open.error, /Cannot log in to the database at .* as role "owner"/);
      await Deno.remove(file);
    });

    await test.step("is refused where an extension is missing, and says so", async () => {
      const { code, error } = await restore("--backup", name);
      assert.equal(code, 1);
      assert.match(error, /The target cannot have pg_cron, which \d+ entries need, but no table does/);
      assert.match(error, /hint: .*--without-missing/);
    });

    await test.step("restores everything, compares it, and names what is left to do", async () => {
      const { code, out, error } = await restore("--backup", name, "--without-missing", "--check");
      assert.equal(code, 0, out + error);
      assert.match(out, /✔ restored in/);
      assert.match(out, /\d+ passed, 0 failed, \d+ skipped, 0 unchecked/);
      assert.match(out, /to do: enable a webhook:\n +alter table public\.diary enable trigger tell_them;/);
      assert.equal((await sql`select from public.diary`).length, 5);
      assert.equal(
        (await sql`select from pg_trigger where tgname = 'tell_them' and tgenabled = 'D'`).length,
        1,
      );
      const [role] = await admin`select rolcanlogin from pg_roles where rolname = 'accountant'`;
      assert.equal(role!.rolcanlogin, false);
      assert.deepEqual(await Array.fromAsync(Deno.readDir(workDir)), [], "nothing is left of the archive");
    });

    await test.step("is refused where something is, where it was told to drop without a word, and where a name sounds like production", async () => {
      const full = await restore("--backup", name, "--without-missing");
      assert.deepEqual(
        [full.code, /it is not empty: \d+ objects in .*books/.test(full.error)],
        [1, true],
        full.error,
      );
      assert.match(full.error, /--clean drops what the backup has[\s\S]*--confirm theatre/);
      const clean = await restore("--backup", name, "--without-missing", "--clean", "--as", "plain");
      assert.deepEqual(
        [clean.code, /must be confirmed/.test(clean.error)],
        [1, true],
        clean.error,
      );
      assert.match(clean.error, /--confirm theatre/);
      const wrong = await restore(
        "--backup",
        name,
        "--without-missing",
        "--clean",
        "--as",
        "plain",
        "--confirm",
        "theater",
      );
      assert.deepEqual([wrong.code, /"theater" is not "theatre"/.test(wrong.error)], [1, true], wrong.error);
      await admin`create database production`;
      const production = await run(
        project,
        "restore",
        "--target-db-url",
        urlWithoutPassword(server, "production"),
        "--backup",
        name,
        "--work-dir",
        workDir,
        "--without-missing",
      );
      assert.deepEqual([production.code, /"production" sounds like production/.test(production.error)], [
        1,
        true,
      ], production.error);
      assert.equal((await sql`select from public.diary`).length, 5);
    });

    await test.step("drops and restores with --clean and the name", async () => {
      await sql`delete from public.diary where id > 2`;
      const { code, out, error } = await restore(
        "--backup",
        name,
        "--without-missing",
        "--clean",
        "--as",
        "plain",
        "--confirm",
        "theatre",
        "--check",
      );
      assert.equal(code, 0, out + error);
      assert.equal((await sql`select from public.diary`).length, 5);
    });

    await test.step("puts a copy of a table beside the living one", async () => {
      await sql`update public.diary set text = 'overwritten' where id = 3`;
      const { code, out, error } = await restore(
        "--backup",
        name,
        "--table",
        "public.diary",
        "--table",
        "books.days",
        "--into-schema",
        "restored_20261122",
      );
      assert.equal(code, 0, error);
      assert.match(out, /"restored_20261122"\."diary": 5 rows[\s\S]*"restored_20261122"\."days": 10 rows/);
      const differing = await sql`
        select id, old.text from restored_20261122.diary old join public.diary new using (id) where old.text <> new.text`;
      assert.deepEqual(differing.map((row) => ({ ...row })), [{ id: "3", text: "page 3" }]);
      await assert.rejects(sql`insert into restored_20261122.diary (id, text) values (1, '')`, /diary_pkey/);
      const again = await restore(
        "--backup",
        name,
        "--table",
        "public.diary",
        "--into-schema",
        "restored_20261122",
      );
      assert.match(again.error, /has a schema "restored_20261122" already/);
    });

    await test.step("restores single tables and what they need, rows only, or definitions only", async () => {
      await empty();
      const some = await restore("--backup", name, "--table", "books.entries", "--schema-only");
      assert.equal(some.code, 0, some.error);
      assert.equal((await sql`select from books.entries`).length, 0);
      const rows = await restore(
        "--backup",
        name,
        "--table",
        "books.entries",
        "--data-only",
        "--confirm",
        "theatre",
      );
      assert.equal(rows.code, 0, rows.error);
      assert.deepEqual(
        (await sql`select kind, amount from books.entries order by id`).map((row) => ({ ...row })),
        [{ kind: "in", amount: "12.50" }, { kind: "out", amount: "-3.00" }],
      );
      assert.equal((await sql`select from pg_policies where tablename = 'entries'`).length, 1);
      await empty();
      const schema = await restore("--backup", name, "--schema", "books", "--check");
      assert.equal(schema.code, 0, schema.out + schema.error);
      const made =
        await sql`select nspname as name from pg_namespace where nspname in ('books', 'auth', 'backup')`;
      assert.deepEqual([...made.map(({ name }) => name), (await sql`select from books.days`).length], [
        "books",
        10,
      ]);
      const none = await restore("--backup", name, "--table", "books.entires", "--confirm", "theatre");
      assert.match(none.error, /no table "books\.entires"[\s\S]*It has books\.days, .*books\.entries/);
    });

    await test.step("restores without owners and grants, as a role that may create no roles", async () => {
      await admin.unsafe(`create role tenant login password '${PASSWORD}'`);
      await admin`create database lent owner tenant`;
      const lent = urlWithoutPassword(server, "lent").replace("owner@", "tenant@");
      const options = [
        "--target-db-url",
        lent,
        "--work-dir",
        workDir,
        "--backup",
        name,
        "--schema",
        "books",
        "--check",
      ];
      const owned = await run(project, "restore", ...options);
      assert.match(owned.error, /role "postgres"[\s\S]*hint: Nothing was changed.*--no-owner/i);
      const { code, out, error } = await run(project, "restore", ...options, "--no-owner");
      assert.equal(code, 0, out + error);
      const inside = postgres(server.url("lent"), { max: 1 });
      const [entries] = await inside`select tableowner from pg_tables where tablename = 'entries'`.finally(
        () => inside.end(),
      );
      assert.equal(entries!.tableowner, "tenant");
    });

    await test.step("restores with several connections", async () => {
      await empty();
      const { code, out, error } = await restore(
        "--backup",
        name,
        "--without-missing",
        "--jobs",
        "2",
        "--check",
      );
      assert.equal(code, 0, out + error);
    });

    await test.step("says at which entry it stopped, and leaves nothing of a transaction that failed", async () => {
      await empty();
      await sql`create view public.diary as select 1 as id`;
      const { code, error } = await restore("--backup", name, "--without-missing", "--confirm", "theatre");
      assert.equal(code, 1);
      assert.match(
        error,
        /Cannot restore TABLE public\.diary: relation "diary" already exists/,
      );
      assert.match(error, /hint: Nothing was changed/);
      assert.equal((await sql`select from pg_namespace where nspname = 'books'`).length, 0);
      const parallel = await restore(
        "--backup",
        name,
        "--without-missing",
        "--confirm",
        "theatre",
        "--jobs",
        "2",
      );
      assert.match(
        parallel.error,
        // Definitions are one transaction still.
        /Cannot restore TABLE public\.diary[\s\S]*hint: Nothing was changed/,
      );
    });

    await test.step("is refused before the target is touched when a part is damaged", async () => {
      await empty();
      // A right copy that an earlier restore has left would do.
      for await (const { name } of Deno.readDir(workDir)) {
        await Deno.remove(`${workDir}/${name}`, { recursive: true });
      }
      const { data } = await project.client.storage.from("backups").download(`${name}/00001.dump`);
      const good = new Uint8Array(await data!.arrayBuffer());
      const bad = good.slice();
      bad[100]! ^= 1;
      const options = { contentType: "application/octet-stream", upsert: true };
      await project.client.storage.from("backups").upload(`${name}/00001.dump`, bad, options);
      // What can be refused without the parts' rows is refused first.
      for (
        const [said, ...args] of [
          ['no table "books.entires"', "--table", "books.entires"],
          ['no schema "boks"', "--schema", "boks"],
          ["public.open_entries is a view", "--table", "public.open_entries", "--into-schema", "back"],
          ["The target cannot have pg_cron"],
        ] as const
      ) {
        const refused = await restore("--backup", name, ...args);
        assert.deepEqual([refused.code, refused.error.includes(said)], [1, true], refused.error);
      }
      const { code, error } = await restore("--backup", name, "--without-missing");
      assert.equal(code, 1);
      assert.match(error, new RegExp(`${name}/00001\\.dump differs from the manifest`));
      assert.equal((await sql`select from pg_namespace where nspname = 'books'`).length, 0);
      const verify = await run(project, "verify");
      assert.deepEqual([verify.code, /part_damaged .*00001\.dump/.test(verify.out)], [1, true], verify.out);
      const drilled = await runWith(
        project,
        { SUPABASE_DB_URL: project.stack.databaseUrl },
        "drill",
        "--work-dir",
        workDir,
        "--report",
        `${workDir}/drills`,
      );
      assert.deepEqual(
        [drilled.code, /0 passed, 1 failed/.test(drilled.out)],
        [1, true],
        drilled.out + drilled.error,
      );
      const [recorded] = await project.sql`select name, failed, checks from backup.drills`;
      assert.deepEqual([recorded!.name, recorded!.failed], [name, 1]);
      assert.match(recorded!.checks[0].detail, /00001\.dump differs from the manifest/);
      await project.client.storage.from("backups").upload(`${name}/00001.dump`, good, options);
      const healed = await run(project, "verify");
      assert.deepEqual(
        [healed.code, /no faults found/.test(healed.out)],
        [0, true],
        healed.out + healed.error,
      );
    });

    await test.step("restores from a downloaded folder and from a single file, without the project", async () => {
      const folder = `${workDir}/downloaded`;
      await Deno.mkdir(folder);
      for (const file of (await project.stored())[name]!) {
        const { data } = await project.client.storage.from("backups").download(`${name}/${file}`);
        await Deno.writeFile(`${folder}/${file}`, new Uint8Array(await data!.arrayBuffer()));
      }
      const fromFolder = await restore("--from", folder, "--without-missing", "--keep");
      assert.equal(fromFolder.code, 0, fromFolder.error);
      await empty();
      const bytes = await Deno.readFile(`${workDir}/${name}.dump`);
      const table = (await openArchive(`${workDir}/${name}.dump`)).blocks.values().next().value!;
      for (
        const [damage, harmed] of [
          ["incomplete: The archive ends at byte", bytes.slice(0, -10)],
          // A letter of the checksum that ends the block's rows.
          [
            "The data block of entry \\d+ is damaged",
            bytes.map((byte, at) => at === table.end - 6 ? byte ^ 1 : byte),
          ],
        ] as const
      ) {
        await Deno.writeFile(`${workDir}/harmed.dump`, harmed);
        const refused = await restore("--from", `${workDir}/harmed.dump`, "--without-missing");
        assert.deepEqual([refused.code, new RegExp(damage).test(refused.error)], [1, true], refused.error);
        assert.match(refused.error, /Nothing was changed/);
      }
      const fromFile = await restore("--from", `${workDir}/${name}.dump`, "--without-missing", "--check");
      assert.equal(fromFile.code, 0, fromFile.out + fromFile.error);
    });
  } finally {
    await Promise.allSettled([admin.end({ timeout: 1 }), sql?.end({ timeout: 1 })]);
    await project[Symbol.asyncDispose]();
    await server.stop();
    await Deno.remove(workDir, { recursive: true });
  }
});
