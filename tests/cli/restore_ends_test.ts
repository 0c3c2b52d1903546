/**
 * How a restore ends, whatever happens: no archive stays behind without a word, and Ctrl-C says what became of the
 * target.
 */
import assert from "node:assert/strict";
import { fetchSource, findOrigin } from "../../cli/source/source.ts";
import { startCluster } from "../../stack/postgres/cluster.ts";
import { openSession } from "../../supabase/functions/backup/postgres/session.ts";
import { until } from "../e2e/project.ts";
import { forgeArchive, forgeBackup, type Forged, NAME } from "../restore/forged.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);

const TABLE: Forged[] = [
  { desc: "SCHEMA", tag: "shop", definition: "CREATE SCHEMA shop;\n", drop: "DROP SCHEMA shop;\n" },
  {
    desc: "TABLE",
    tag: "orders",
    namespace: "shop",
    tablespace: "",
    tableam: "heap",
    definition: "CREATE TABLE shop.orders (id integer);\n",
    drop: "DROP TABLE shop.orders;\n",
  },
  {
    desc: "TABLE DATA",
    tag: "orders",
    namespace: "shop",
    copy: "COPY shop.orders (id) FROM stdin;\n",
    rows: "1\n2\n",
  },
];

const names = (folder: string) => Array.fromAsync(Deno.readDir(folder), ({ name }) => name);

Deno.test("an archive that does not agree with its manifest is removed", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await forgeBackup(
      folder,
      TABLE,
      (manifest) => ({ ...manifest, archive: { ...manifest.archive, entries: 99 } }),
    );
    const origin = await findOrigin(folder);
    await assert.rejects(fetchSource(origin, NAME, `${folder}/work`, () => {}), /entries/);
    assert.deepEqual(await names(`${folder}/work`), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a full disk is named with the folder, the size and the option", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await forgeBackup(folder, TABLE);
    await Deno.mkdir(`${folder}/work`);
    await Deno.symlink("/dev/full", `${folder}/work/${NAME}.dump.partial`);
    await assert.rejects(fetchSource(await findOrigin(folder), NAME, `${folder}/work`, () => {}), {
      message: new RegExp(`Cannot write "${folder}/work/${NAME}\\.dump": no space`),
      hint: /needs \d.*B there.*--work-dir/,
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a download is one archive, and nothing else is left", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/backup`);
    await forgeBackup(`${folder}/backup`, TABLE);
    const download = async (...args: string[]) =>
      await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", `${ROOT}cli/main.ts`, "download", "--from", "backup", ...args],
        cwd: folder,
      }).output();
    const { stdout, stderr } = await download("--out", "x.dump", "--json");
    const { file, bytes, rows } = JSON.parse(new TextDecoder().decode(stdout));
    const archive = forgeArchive(TABLE);
    assert.deepEqual([await Deno.realPath(file), bytes, rows], [
      await Deno.realPath(`${folder}/x.dump`),
      archive.length,
      2,
    ], new TextDecoder().decode(stderr));
    assert.deepEqual(await Deno.readFile(`${folder}/x.dump`), archive);
    assert.equal((await download()).code, 0);
    assert.deepEqual((await names(folder)).sort(), ["backup", `${NAME}.dump`, "x.dump"]);
    assert.match(new TextDecoder().decode((await download("--out", "backup")).stderr), /it is a folder/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a restore", async (test) => {
  const folder = await Deno.makeTempDir();
  const work = `${folder}/work`;
  await Deno.mkdir(work);
  await forgeBackup(folder, TABLE);
  const server = await startCluster({ superuser: "owner" });
  const restore = (args: string[], env: Record<string, string> = {}) =>
    new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        "cli/main.ts",
        "restore",
        "--from",
        folder,
        "--work-dir",
        work,
        ...args,
      ],
      cwd: ROOT,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1", PG_BIN: server.binDir, RESTORE_DATABASE_URL: server.url(), ...env },
    }).spawn();
  const outcome = async (args: string[], env: Record<string, string> = {}) => {
    const { code, stdout, stderr } = await restore(args, env).output();
    return { code, out: new TextDecoder().decode(stdout), error: new TextDecoder().decode(stderr) };
  };
  try {
    await test.step("is refused before anything is fetched", async () => {
      const nowhere = { RESTORE_DATABASE_URL: "postgresql://u@127.0.0.1:1/d" };
      const { code, error } = await outcome([], nowhere);
      assert.deepEqual([code, /Cannot connect to the database/.test(error)], [1, true], error);
      assert.doesNotMatch(error, /check:/);
      assert.deepEqual(await names(work), []);
    });

    await test.step("leaves nothing after a dry run, and with --keep says where the archive is", async () => {
      const { code, error } = await outcome(["--dry-run"]);
      assert.equal(code, 0, error);
      assert.deepEqual(await names(work), []);
      const kept = await outcome(["--dry-run", "--keep"]);
      assert.match(kept.error, new RegExp(`The archive is ${work}/${NAME}\\.dump`));
      assert.deepEqual(await names(work), [`${NAME}.dump`]);
    });

    await test.step("prints its result as one object", async () => {
      const { out, code } = await outcome(["--dry-run", "--json"]);
      const result = JSON.parse(out);
      assert.deepEqual([code, result.backup, result.dry_run, result.entries], [0, NAME, true, 3]);
    });

    await test.step("that is interrupted says what became of the target, ends what it started, and leaves nothing", async () => {
      // Stands in for pg_restore, and takes its time, also to end.
      await Deno.mkdir(`${folder}/bin`);
      const script = `#!/bin/bash\n[ "$1" = --version ] && echo "pg_restore (PostgreSQL) 15.0" && exit\n` +
        `echo $$ > ${folder}/pid\ntrap 'kill %1; sleep 0.3; exit 1' TERM\nsleep 60 & wait\n`;
      await Deno.writeTextFile(`${folder}/bin/pg_restore`, script, { mode: 0o755 });
      const child = restore(["--with-pg-restore"], { PG_BIN: `${folder}/bin` });
      const pid = Number(
        await until("pg_restore has started", async () => {
          const text = await Deno.readTextFile(`${folder}/pid`).catch(() => "");
          return text.endsWith("\n") ? text : null;
        }),
      );
      // To this process alone, as `kill` does.
      child.kill("SIGINT");
      // A launcher passes on what the terminal has sent to both.
      await new Promise((resolve) => setTimeout(resolve, 20));
      child.kill("SIGINT");
      const { code, stderr } = await child.output();
      const error = new TextDecoder().decode(stderr);
      assert.equal(code, 130, error);
      assert.match(error, /error: Interrupted\nhint: .*Nothing was changed/);
      await until(
        "pg_restore has ended",
        async () => await Deno.stat(`/proc/${pid}`).then(() => null, () => true),
      );
      assert.deepEqual(await names(work), []);
    });

    await test.step("of our own engine says so as well, and the server rolls it back", async () => {
      const [other, watching] = await Promise.all([openSession(server.url()), openSession(server.url())]);
      try {
        // The restore waits for whoever makes a schema of that name.
        await other.sql.unsafe("begin; create schema shop").simple();
        const child = restore([]);
        await until("the restore waits", async () => {
          const [row] = await watching.sql.unsafe(
            "select from pg_stat_activity where application_name = 'supabase-backup restore' and wait_event_type = 'Lock'",
          );
          return row ?? null;
        });
        child.kill("SIGINT");
        const { code, stderr } = await child.output();
        const error = new TextDecoder().decode(stderr);
        assert.equal(code, 130, error);
        assert.match(error, /error: Interrupted\nhint: .*Nothing was changed/);
        await other.sql.unsafe("rollback");
        await until("the session is gone", async () => {
          const [row] = await watching.sql.unsafe(
            "select from pg_stat_activity where application_name = 'supabase-backup restore'",
          );
          return row === undefined ? true : null;
        });
        assert.equal((await other.sql.unsafe("select from pg_namespace where nspname = 'shop'")).length, 0);
        assert.deepEqual(await names(work), []);
      } finally {
        await Promise.all([other.close(), watching.close()]);
      }
    });

    await test.step("without any program of PostgreSQL's restores, and ends with 0", async () => {
      const { code, error, out } = await outcome([], {
        PG_BIN: `${folder}/nowhere`,
        PATH: `${folder}/nowhere`,
      });
      assert.equal(code, 0, error);
      assert.match(out, /3 as in the backup · 0 changed/);
      assert.match(out, /2 rows in/);
    });

    await test.step("with exceptions ends with 3, and says where the account is", async () => {
      const forged = `${folder}/exceptions`;
      await Deno.mkdir(forged);
      const view: Forged = {
        desc: "VIEW",
        tag: "odd",
        namespace: "shop",
        definition: "CREATE VIEW shop.odd AS SELECT nothing;\n",
        drop: "DROP VIEW shop.odd;\n",
      };
      await forgeBackup(forged, [...TABLE, view]);
      const { code, out, error } = await outcome(["--clean", "--confirm", "postgres", "--from", forged]);
      assert.equal(code, 3, out + error);
      assert.match(out, /left out: VIEW shop\.odd: column "nothing" does not exist/);
      const [, path] = /The whole account is in (\S+)\./.exec(out) ?? [];
      assert.match(await Deno.readTextFile(`${ROOT}${path}`), /## Left out\n\n- `VIEW shop\.odd`/);
      await Deno.remove(new URL(".", `file://${ROOT}${path}`), { recursive: true });
      const strict = await outcome(["--clean", "--confirm", "postgres", "--strict", "--from", forged]);
      assert.deepEqual([strict.code, /Nothing was changed/.test(strict.error)], [1, true], strict.error);
    });

    await test.step("whose target differs afterwards ends with 3", async () => {
      const session = await openSession(server.url());
      await session.sql.unsafe(`
        create function public.meddle() returns event_trigger language plpgsql as $$
        declare made record; begin
          for made in select object_identity as name from pg_event_trigger_ddl_commands() where object_type = 'table' loop
            execute pg_catalog.format('alter table %s add column extra integer', made.name);
          end loop; end $$;
        create event trigger meddles on ddl_command_end when tag in ('CREATE TABLE') execute function public.meddle()`);
      await session.close();
      const { code, out, error } = await outcome(["--clean", "--confirm", "postgres", "--check"]);
      assert.match(out, /✔ restored in/);
      assert.deepEqual(
        [code, /The target differs from the backup: .* 1 failed/.test(error)],
        [3, true],
        out + error,
      );
    });
  } finally {
    await server.stop();
    await Deno.remove(folder, { recursive: true });
  }
});
