/**
 * The package as a stranger gets it: packed, installed by npm into a project of `supabase init`, and used from there.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { RESTORED, startRestoreTarget } from "../../stack/postgres/restore_target.ts";
import { VERSION } from "../../supabase/functions/backup/version.ts";
import { supabaseIn } from "../sql/schema_text.ts";
import { uninstalledThings } from "./left_behind.ts";
import { startPlatform } from "./platform.ts";
import { readWorkflow, runSteps, type Workflow } from "./workflow.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const TARBALL = `supabase-backup-${VERSION}.tgz`;
/** docs/decisions.md says what it has. */
const MOST_BYTES = 1_200_000;

async function run(cwd: string, program: string, args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd,
    // As outside of a checkout of ours: nothing of its environment but the ways to programs and caches.
    clearEnv: true,
    env: { PATH: Deno.env.get("PATH")!, HOME: Deno.env.get("HOME")!, NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out!, err: err! };
}

Deno.test("the package, from npm pack to uninstall", async (t) => {
  const dir = await Deno.makeTempDir({ prefix: "package-" });
  const folder = join(dir, "project");
  await Deno.mkdir(folder);
  const write = async (path: string, text: string) => await Deno.writeTextFile(join(folder, path), text);
  await using platform = await startPlatform();
  const { stack, sql, env } = platform;
  const ours = (...args: string[]) => run(folder, "node_modules/.bin/supabase-backup", args, env);
  const address = `${stack.apiUrl}/functions/v1/backup`;
  const secrets = {
    SUPABASE_URL: stack.apiUrl,
    SUPABASE_SECRET_KEY: stack.keys.secretKey,
    SUPABASE_DB_URL: stack.databaseUrl,
  };
  try {
    await t.step("npm pack has what runs, and no tests", async () => {
      const packed = await run(ROOT, "npm", ["pack", "--silent", "--pack-destination", folder]);
      assert.equal(packed.code, 0, packed.err);
      assert.ok((await Deno.stat(join(folder, TARBALL))).size < MOST_BYTES);
      const { out } = await run(folder, "tar", ["-tzf", TARBALL]);
      const names = out.trim().split("\n");
      assert.deepEqual(names.filter((name) => /test|\/(bench|build)\//.test(name)), []);
      assert.ok(names.includes("package/docs/backup.yml"));
      // Deno runs no TypeScript below node_modules: only the function's sources are in it, to be copied.
      const typed = names.filter((name) => name.endsWith(".ts"));
      assert.deepEqual(
        typed.filter((name) => !name.startsWith("package/dist/supabase/functions/backup/")),
        [],
      );
    });
    await t.step("npm installs it into a project of `supabase init`", async () => {
      await supabaseIn(folder, "init", "--yes");
      await write("package.json", '{ "name": "site", "private": true }');
      await Deno.mkdir(join(folder, "supabase/migrations"), { recursive: true });
      await write(
        "supabase/migrations/20200101000000_old.sql",
        "create table public.old (id int primary key);",
      );
      await write(
        "supabase/migrations/20991231000000_new.sql",
        "insert into public.old select generate_series(1, 9);",
      );
      const { code, err } = await run(folder, "npm", [
        "install",
        "--save-dev",
        "--no-audit",
        "--no-fund",
        "--prefer-offline",
        `./${TARBALL}`,
      ]);
      assert.equal(code, 0, err);
      const { dependencies } = JSON.parse(
        await Deno.readTextFile(join(folder, "node_modules/supabase-backup/package.json")),
      );
      assert.ok(!("supabase" in dependencies));
      assert.equal((await ours("--version")).out.trim(), VERSION);
    });
    await t.step("init --deploy installs it, and makes a backup", async () => {
      const { code, out, err } = await ours(
        "init",
        "--versioning",
        "--deploy",
        "--db-url",
        stack.databaseUrl,
        "--function-url",
        address,
      );
      assert.equal(code, 0, out + err);
      assert.match(out, /✔ backup-\d{8}-\d{6} succeeded/);
      const config = await Deno.readTextFile(join(folder, "supabase/config.toml"));
      assert.match(config, /^\[functions\.backup\]$/m);
      assert.equal((await sql`select from public.old`).length, 9);
    });
    await t.step("backup, list, verify and doctor", async () => {
      const made = await ours("backup", "--wait", "--json");
      assert.equal(made.code, 0, made.err);
      const { name } = JSON.parse(made.out).run;
      const listed = await ours("list");
      assert.equal(listed.code, 0, listed.err);
      assert.equal(listed.out.match(/backup-\d{8}-\d{6}/g)?.length, 2);
      assert.ok(listed.out.includes(name));
      assert.equal((await ours("verify")).code, 0);
      const doctor = await ours("doctor", "--db-url", stack.databaseUrl);
      assert.equal(doctor.code, 0, doctor.out);
      assert.match(doctor.out, new RegExp(`ok +function: version ${VERSION}`));
    });
    await t.step("restore, into a server of one's own", async () => {
      const target = await startRestoreTarget(stack.superuserUrl);
      try {
        const { code, out, err } = await ours(
          "restore",
          "--backup",
          "latest",
          "--target-db-url",
          target.url(RESTORED),
          "--check",
        );
        assert.equal(code, 0, out + err);
        assert.match(out, /, 0 failed/);
      } finally {
        await target.stop();
      }
    });
    await t.step("docs/backup.yml: a backup, then the migration", async () => {
      const workflow = await readWorkflow(`${ROOT}docs/backup.yml`);
      assert.deepEqual(workflow.on.push, { branches: ["main"], paths: ["supabase/migrations/**"] });
      assert.deepEqual(workflow.permissions, { contents: "read" });
      await write("supabase/migrations/20991231000100_next.sql", "insert into public.old values (10);");
      const where = { cwd: folder, env: { PATH: env["PATH"]! }, secrets };
      const ran = await runSteps(installed(workflow), where);
      assert.deepEqual(ran.map(({ line, code }) => [line, code]), [
        ["npx supabase-backup backup --wait", 0],
        ['supabase db push --yes --remote="$SUPABASE_DB_URL"', 0],
      ], ran.at(-1)?.text);
      assert.equal((await sql`select from public.old`).length, 10);
      assert.equal((await sql`select from backup.log where status = 'succeeded'`).length, 3);

      await write("supabase/migrations/20991231000200_last.sql", "drop table public.old;");
      platform.fault = (request) =>
        request.headers.has("x-backup-token") ? new Response('{"message": "gone"}', { status: 404 }) : null;
      // As pg_cron does every minute.
      const watching = setInterval(() => sql`select backup.watch()`.catch(() => {}), 2000);
      const failing = await runSteps(installed(workflow), where);
      clearInterval(watching);
      platform.fault = null;
      assert.deepEqual(failing.map(({ code }) => code), [1], "the backup fails, and nothing is migrated");
      assert.match(failing[0]!.text, /did not begin work/);
      assert.equal((await sql`select from public.old`).length, 10);
      await Deno.remove(join(folder, "supabase/migrations/20991231000200_last.sql"));
    });
    await t.step("docs/drill.yml: the newest backup is restored, and the drill is recorded", async () => {
      const workflow = await readWorkflow(`${ROOT}docs/drill.yml`);
      assert.match(workflow.on.schedule![0]!.cron, /^\d+ \d+ \* \* \d$/);
      const { sudo, asked } = await fakeSudo(dir);
      // The runner's packages are this machine's, found elsewhere.
      const PG_BIN = stack.database.cluster.binDir;
      const ran = await runSteps(installed(workflow), {
        cwd: folder,
        env: { PATH: `${sudo}:${env["PATH"]}`, PG_BIN },
        secrets,
      });
      assert.deepEqual(ran.map(({ code }) => code), [0, 0], ran.map(({ text }) => text).join("\n"));
      assert.match(await asked(), /^apt-get install -y postgresql-17 postgresql-17-cron$/m);
      assert.equal((await sql`select from backup.drills where failed = 0`).length, 1);
      assert.ok((await Array.fromAsync(Deno.readDir(join(folder, "drills")))).length > 0);
    });
    await t.step("uninstall leaves the bucket, whose backups can still be listed", async () => {
      const { code, out, err } = await ours(
        "uninstall",
        "--deploy",
        "--db-url",
        stack.databaseUrl,
        "--confirm",
        "uninstall",
      );
      assert.equal(code, 0, out + err);
      assert.deepEqual(await uninstalledThings(sql), []);
      const listed = await ours("list");
      assert.equal(listed.code, 0, listed.err);
      assert.ok(listed.out.match(/backup-\d{8}-\d{6}/g)!.length >= 3);
    });
    await t.step("npx runs it where nothing is installed", async () => {
      const empty = join(dir, "empty");
      // Of npx's own cache only the packages are shared, so that nothing stays of this installation.
      const cache = join(dir, "cache");
      await Deno.mkdir(empty);
      await Deno.mkdir(cache);
      const { out } = await run(ROOT, "npm", ["config", "get", "cache"]);
      await Deno.symlink(join(out.trim(), "_cacache"), join(cache, "_cacache"));
      const npx = (...args: string[]) =>
        run(
          empty,
          "npx",
          ["--yes", "--prefer-offline", `--package=${join(folder, TARBALL)}`, "supabase-backup", ...args],
          { npm_config_cache: cache },
        );
      const { code, out: version, err } = await npx("--version");
      assert.equal(code, 0, err);
      assert.equal(version.trim(), VERSION);
      await Deno.mkdir(join(empty, "supabase"));
      await Deno.writeTextFile(join(empty, "supabase/config.toml"), "");
      assert.match((await npx("upgrade")).err, /Run `npx supabase-backup init`/);
    });
    await t.step("demo runs from the package", async () => {
      const { code, out, err } = await ours("demo");
      assert.equal(code, 0, out + err);
      assert.match(out, /Done in /);
      assert.doesNotMatch(out, /≠/);
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

/** Without `npm ci`, which fails where a registry lacks the packages of other platforms that the lock file names. */
function installed(workflow: Workflow): Workflow {
  const [[name, job]] = Object.entries(workflow.jobs) as [[string, Workflow["jobs"][string]]];
  assert.ok(job.steps.some(({ run }) => run === "npm ci"));
  return {
    ...workflow,
    jobs: { [name]: { ...job, steps: job.steps.filter(({ run }) => run !== "npm ci") } },
  };
}

/** The runner may install packages; here it is only written down what would be. */
async function fakeSudo(dir: string): Promise<{ sudo: string; asked: () => Promise<string> }> {
  const sudo = join(dir, "sudo");
  await Deno.mkdir(sudo);
  await Deno.writeTextFile(join(sudo, "sudo"), `#!/bin/sh\necho "$*" >> ${dir}/asked\n`, { mode: 0o755 });
  return { sudo, asked: () => Deno.readTextFile(join(dir, "asked")) };
}
