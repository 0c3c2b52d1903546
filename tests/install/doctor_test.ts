/**
 * `doctor` names what is wrong, and what it names mends it: each fault is staged, found, mended by its own words, and
 * gone.
 */
import assert from "node:assert/strict";
import postgres from "postgres";
import { checkDatabase } from "../../cli/install/doctor/check_database.ts";
import { checkFolder } from "../../cli/install/doctor/check_folder.ts";
import { checkFunction } from "../../cli/install/doctor/check_function.ts";
import type { Finding } from "../../cli/install/doctor/finding.ts";
import { readPackage } from "../../cli/install/package_contents.ts";
import { openProjectFolder } from "../../cli/install/project_folder.ts";
import { projectConfig } from "../../stack/config.ts";
import { startFunctions } from "../../stack/functions/functions.ts";
import { startGateway } from "../../stack/gateway/gateway.ts";
import { projectKeys } from "../../stack/keys.ts";
import { startStack } from "../../stack/stack.ts";
import { VERSION } from "../../supabase/functions/backup/version.ts";
import { until } from "../e2e/project.ts";
import { supabaseIn } from "../sql/schema_text.ts";
import { type Folder, makeFolder } from "./scene.ts";

const FUNCTION = "supabase/functions/backup";
const CONFIG = "supabase/config.toml";
const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const packaged = await readPackage();

/** A project with everything of this release; the packages of the function are those of the checkout. */
async function installed(): Promise<Folder> {
  const folder = await makeFolder({ "20200101000000_mine.sql": "select 1;" });
  for (const name of ["node_modules", "package.json"]) {
    await Deno.symlink(ROOT + name, `${folder.root}/${name}`);
  }
  const { code, err } = await folder.run(["init", "--versioning"]);
  assert.equal(code, 0, err);
  return folder;
}

/** Returns what is wrong in the one check; null where it is fine. */
function faultOf(findings: Finding[], check: string): Finding | null {
  const finding = findings.find((finding) => finding.check === check);
  return finding === undefined || finding.state === "ok" ? null : finding;
}

/** Runs the last command of ours that a hint names, as a person at no terminal has to. */
async function runNamed(folder: Folder, fix: string): Promise<void> {
  const [, words] = [...fix.matchAll(/`supabase-backup ([^`]+)`/g)].at(-1) ?? [];
  assert.ok(words, `names no command: ${fix}`);
  const { code, err } = await folder.run(words === "init" ? ["init", "--versioning"] : words.split(" "));
  assert.equal(code, 0, err);
}

Deno.test("doctor: faults of the folder", async (t) => {
  await using folder = await installed();
  const examine = async () => await checkFolder(await openProjectFolder(folder.root), packaged);
  const change = async (path: string, by: (text: string) => string) =>
    await folder.write(path, by(await folder.read(path)));
  const remove = (path: string) => Deno.remove(`${folder.root}/${path}`, { recursive: true });
  const lastMigration = async () => `supabase/migrations/${(await folder.migrations()).at(-1)}`;
  const fault = (name: string, check: string, stage: () => Promise<unknown>, message: RegExp) =>
    t.step(name, async () => {
      await stage();
      const found = faultOf(await examine(), check);
      assert.match(found?.message ?? "nothing", message);
      await runNamed(folder, found!.fix);
      assert.deepEqual((await examine()).filter(({ state }) => state !== "ok"), []);
    });

  await t.step("all is right after init", async () => {
    assert.deepEqual((await examine()).filter(({ state }) => state !== "ok"), []);
  });
  await fault("nothing is installed", "files", () => remove(FUNCTION), /Nothing is installed/);
  await fault(
    "another version",
    "version",
    () =>
      change(
        `${FUNCTION}/installed.json`,
        (text) => text.replace(/"version": "[^"]+"/, '"version": "0.0.1"'),
      ),
    /has version 0\.0\.1/,
  );
  await fault(
    "a file is missing",
    "files",
    () => remove(`${FUNCTION}/pipeline.ts`),
    /Missing: .*pipeline\.ts/,
  );
  await fault(
    "a file was changed",
    "own changes",
    () => change(`${FUNCTION}/pipeline.ts`, (text) => `${text}// mine\n`),
    /Changed by hand: .*pipeline\.ts/,
  );
  await fault(
    "a migration is missing",
    "files",
    async () => await remove(await lastMigration()),
    /Missing: .*\.sql/,
  );
  await fault(
    "verify_jwt is on",
    "config.toml",
    () => change(CONFIG, (text) => text.replace("verify_jwt = false", "verify_jwt = true")),
    /verify_jwt is not false/,
  );
  await fault(
    "the import map is not named",
    "config.toml",
    () => change(CONFIG, (text) => text.replace(/import_map = .*\n/, "")),
    /import_map is not/,
  );
  await fault(
    "the function has no section",
    "config.toml",
    () => change(CONFIG, (text) => text.replace(/\[functions\.backup\][^[]*/, "")),
    /\[functions\.backup\] is missing/,
  );

  await t.step("a migration that was changed by hand is named, and stays", async () => {
    const path = await lastMigration();
    const text = await folder.read(path);
    await folder.write(path, `${text}-- mine\n`);
    const found = faultOf(await examine(), "migrations");
    assert.ok(found?.message.includes(path));
    assert.match(found!.fix, /version control/);
    await folder.write(path, text);
    assert.equal(faultOf(await examine(), "migrations"), null);
  });
});

Deno.test("doctor: faults of the function", async (t) => {
  await using folder = await installed();
  const keys = await projectKeys({});
  const gateway = startGateway({ keys });
  /** What the function is asked when all of the folder is deployed as its config.toml says. */
  const deployed = async (functionsDir = `${folder.root}/supabase/functions`, secretKey = keys.secretKey) => {
    const { verifyJwt } = await projectConfig(`${folder.root}/${CONFIG}`);
    const functions = await startFunctions({
      functionsDir,
      jwtSecret: keys.jwtSecret,
      verifyJwt,
      env: {
        SUPABASE_URL: gateway.url,
        SUPABASE_DB_URL: "postgres://nobody@127.0.0.1:1/none",
        SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secretKey }),
      },
    });
    gateway.upstreams.functions = functions.url;
    try {
      const [finding] = await checkFunction({ ...project, secretKey }, VERSION);
      return finding!;
    } finally {
      await functions.stop();
    }
  };
  const project = { url: gateway.url, secretKey: keys.secretKey };
  const edit = async (path: string, by: (text: string) => string) =>
    await folder.write(path, by(await folder.read(path)));
  const fault = (
    name: string,
    stage: () => Promise<unknown>,
    message: RegExp,
    fix: RegExp,
    overwrite: string,
  ) =>
    t.step(name, async () => {
      await stage();
      const found = await deployed();
      assert.equal(found.state, "failed");
      assert.match(found.message, message);
      assert.match(found.fix, fix);
      const { code, err } = await folder.run(["init", overwrite].filter((word) => word !== ""));
      assert.equal(code, 0, err);
      assert.deepEqual(await deployed(), {
        check: "function",
        state: "ok",
        message: `version ${VERSION}`,
        fix: "",
      });
    });

  try {
    await t.step("it is not deployed", async () => {
      const empty = await Deno.makeTempDir();
      const { message, fix } = await deployed(empty);
      await Deno.remove(empty);
      assert.match(message, /is not deployed/);
      assert.match(fix, /supabase functions deploy backup/);
      assert.equal((await deployed()).state, "ok");
    });
    await t.step("the key is not this project's", async () => {
      const { state, message, fix } = await deployed(undefined, "sb_secret_of_somebody_else");
      assert.equal(state, "failed");
      assert.match(message, /does not accept this key/);
      assert.match(fix, /SUPABASE_SECRET_KEY/);
    });
    await fault(
      "verify_jwt is on",
      () => edit(CONFIG, (text) => text.replace("verify_jwt = false", "verify_jwt = true")),
      /verify_jwt is on/,
      /verify_jwt = false.*supabase functions deploy backup/,
      "",
    );
    await fault(
      "it does not start",
      () => edit(`${FUNCTION}/index.ts`, (text) => `throw new Error("broken");\n${text}`),
      /does not start/,
      /supabase functions deploy backup/,
      "--overwrite",
    );
    await fault(
      "it is of another version",
      () => edit(`${FUNCTION}/version.ts`, (text) => text.replace(VERSION, "0.0.9")),
      /function is version 0\.0\.9/,
      /supabase functions deploy backup/,
      "--overwrite",
    );
  } finally {
    await gateway.stop();
  }
  await t.step("it cannot be reached", async () => {
    const [found] = await checkFunction(project, VERSION);
    assert.match(found!.message, /cannot be reached/);
    assert.match(found!.fix, /SUPABASE_URL/);
  });
});

Deno.test("doctor: faults of the database", async (t) => {
  await using folder = await installed();
  const stack = await startStack({ migrate: false, functionsDir: `${folder.root}/supabase/functions` });
  const sql = postgres(stack.databaseUrl, { max: 1, onnotice: () => {} });
  const superuser = postgres(stack.superuserUrl, { max: 1, onnotice: () => {} });
  const record = JSON.parse(await folder.read(`${FUNCTION}/installed.json`));
  const context = {
    version: VERSION,
    expectedUrl: `${stack.apiUrl}/functions/v1/backup`,
    migrations: Object.values<string>(record.migrations),
    push: "supabase db push",
  };
  const push = (...options: string[]) =>
    supabaseIn(folder.root, "db", "push", `--remote=${stack.databaseUrl}`, "--yes", ...options);
  const find = async (check: string, url = stack.databaseUrl) =>
    faultOf(await checkDatabase(url, context), check);
  /** The SQL at the end of what doctor names, run as a person does in the SQL editor. */
  const mend = async ({ fix }: Finding, by = sql) => {
    const statement = fix.match(/`(select .*;)`/)?.[1] ??
      fix.match(/\b(select|update|insert into|create|grant|alter) .*$/)?.[0];
    assert.ok(statement, `names no SQL: ${fix}`);
    await by.unsafe(statement);
  };
  const fault = (name: string, check: string, stage: string, message: RegExp, by = sql) =>
    t.step(name, async () => {
      await superuser.unsafe(stage).simple();
      const found = await find(check);
      assert.match(found?.message ?? "nothing", message);
      await mend(found!, by);
      assert.equal(await find(check), null);
    });
  const url = (value: string) => `update backup.settings set function_url = ${value}`;

  try {
    await t.step("it cannot be reached", async () => {
      const found = await find("database", "postgres://postgres@127.0.0.1:1/postgres");
      assert.match(found!.message, /Cannot connect/);
      assert.match(found!.fix, /Network Restrictions/);
    });
    await t.step("the password is wrong", async () => {
      const wrong = new URL(stack.databaseUrl);
      wrong.password = "wrong";
      assert.match((await find("database", wrong.href))!.message, /Cannot log in to the database/);
    });
    await t.step("a schema of that name is somebody else's", async () => {
      await superuser.unsafe(
        "create schema backup; create function backup.mine() returns int language sql as 'select 1'",
      );
      await superuser.unsafe("alter schema backup owner to postgres");
      const found = await find("schema");
      assert.match(found!.message, /"backup" is not ours: it holds "mine"/);
      const [, rename] = /`(alter schema NAME rename to another_name)`/.exec(found!.fix)!;
      await sql.unsafe(rename!.replace("NAME", "backup"));
      assert.match((await find("schema"))!.message, /no schema backup/);
    });
    await t.step("nothing is migrated", async () => {
      const found = await find("schema");
      assert.match(found!.message, /no schema backup/);
      assert.match(found!.fix, /supabase db push/);
      await push();
      assert.equal(await find("schema"), null);
    });
    await fault("it does not know the function", "function_url", "select 1", /does not know/);
    await fault(
      "the address is the docs' own",
      "function_url",
      url("'https://YOUR-PROJECT-REF.supabase.co/functions/v1/backup'"),
      /placeholder/,
    );
    await fault(
      "the address is a placeholder",
      "function_url",
      url("'https://project-ref.supabase.co/functions/v1/backup'"),
      /placeholder/,
    );
    await fault(
      "the address is another project's",
      "function_url",
      url("'https://abcdefghijklmnopqrst.supabase.co/functions/v1/backup'"),
      /not the linked project's/,
    );
    await fault(
      "the address is not the function's",
      "function_url",
      url("'https://abcdefghijklmnopqrst.supabase.co/'"),
      /does not end in/,
    );
    const setVersion = (version: string) =>
      superuser.unsafe(`create or replace function backup.version() returns text language sql immutable
        set search_path = pg_catalog, pg_temp as $$ select '${version}' $$`);
    const forget = (names: string) =>
      superuser.unsafe(`delete from supabase_migrations.schema_migrations where name ~ '${names}'`);
    await t.step("the schema is of an older version", async () => {
      await setVersion("0.1.0");
      await forget("^tell_vain_calls$");
      const found = await find("schema");
      assert.match(found!.message, /schema is version 0\.1\.0/);
      assert.match(found!.fix, /, then `supabase db push`/);
      await runNamed(folder, found!.fix);
      // Only here the later migrations are applied already.
      await push("--include-all");
      assert.equal(await find("schema"), null);
    });
    await t.step("the schema is of a newer version", async () => {
      // What it names is a release of the future, which nobody can run today.
      await setVersion("99.0.0");
      assert.match((await find("schema"))!.fix, /supabase-backup-99\.0\.0\.tgz/);
      await setVersion(VERSION);
      assert.equal(await find("schema"), null);
    });
    await t.step("a migration is not applied", async () => {
      await forget("^set_up_backup$");
      const found = await find("migrations applied");
      assert.match(found!.message, /Not applied: \d+_set_up_backup\.sql/);
      // Later ones are applied, so the CLI refuses without the option.
      assert.equal(found!.fix, "Run `supabase db push --include-all`.");
      await assert.rejects(() => push());
      await push("--include-all");
      assert.equal(await find("migrations applied"), null);
    });
    await fault("the settings are gone", "settings", "delete from backup.settings", /no row/);
    await sql`select backup.configure(function_url => ${context.expectedUrl})`;
    for (const job of ["backup-weekly", "backup-daily"]) {
      await fault(`${job} is missing`, job, `delete from cron.job where jobname = '${job}'`, /missing/);
      await fault(
        `${job} is paused`,
        job,
        `update cron.job set active = false where jobname = '${job}'`,
        /paused/,
      );
    }
    await fault(
      "the role reads too little",
      "privileges",
      "revoke pg_read_all_data from postgres",
      /pg_read_all_data/,
      superuser,
    );
    await fault(
      "there is no bucket",
      "bucket",
      "set storage.allow_delete_query = 'true'; delete from storage.buckets where id = 'backups'",
      /no bucket/,
    );
    await fault("the bucket is public", "bucket", "update storage.buckets set public = true", /is public/);
    await fault(
      "the bucket takes small files only",
      "file size",
      "update storage.buckets set file_size_limit = 1000000",
      /1000000/,
    );
    await t.step("the bucket has somebody else's files", async () => {
      await superuser`insert into storage.objects (bucket_id, name) values ('backups', 'posters/hamlet.png')`;
      const found = await find("bucket");
      assert.match(found!.message, /"backups" holds "posters\/hamlet\.png"/);
      await mend(found!);
      // It names another bucket, which is made next.
      await mend((await find("bucket"))!);
      assert.equal(await find("bucket"), null);
      await superuser.unsafe(`
        set storage.allow_delete_query = 'true'; delete from storage.objects where name = 'posters/hamlet.png';
        select backup.configure(bucket => 'backups')`).simple();
      assert.equal(await find("bucket"), null);
    });
    await t.step("this machine's clock is off", async () => {
      const { now } = Date;
      Date.now = () => now() + 3_600_000;
      const found = await find("clock");
      Date.now = now;
      assert.match(found!.message, /3[56]\d\d s apart/);
      assert.match(found!.fix, /Set this machine's clock/);
      assert.equal(await find("clock"), null);
    });
    await fault(
      "second copies are undecided",
      "one_copy",
      "update backup.settings set second_copy = null",
      /lost with it/,
    );
    await t.step("there is no backup", async () => {
      const found = await find("backups");
      assert.match(found!.message, /no backup yet/);
      await mend(found!);
      await until("the backup is made", async () => await find("backups") === null ? true : null);
    });
    const env = {
      SUPABASE_URL: stack.apiUrl,
      SUPABASE_SECRET_KEY: stack.keys.secretKey,
      SUPABASE_DB_URL: stack.databaseUrl,
    };
    await t.step("the command says it all, and its exit code that nothing failed", async () => {
      const { code, out, err } = await folder.run(["doctor"], env);
      assert.equal(code, 0, out + err);
      assert.match(out, /warning +drill: .*\n +→ Run `supabase-backup drill`/);
      assert.match(
        out,
        /ok +platform: TLS to the database, uploads by own client, about \d+ ms of CPU in the busiest/,
      );
      assert.match(out, / 0 failed$/m);
    });
    await t.step("no backup was ever restored", async () => {
      const found = await find("drill");
      const [, words] = /`supabase-backup ([^`]+)`/.exec(found!.fix)!;
      const { code, out, err } = await folder.run(words!.split(" "), env);
      assert.equal(code, 0, out + err);
      assert.equal(await find("drill"), null);
    });
    await fault(
      "there is no pg_cron",
      "pg_cron",
      "drop extension pg_cron",
      /pg_cron is not installed/,
      superuser,
    );
    await t.step("the command fails where something does", async () => {
      await superuser`update storage.buckets set public = true`;
      const { code, out } = await folder.run(["doctor", "--db-url", stack.databaseUrl]);
      assert.equal(code, 1);
      assert.match(out, /failed +bucket: .*public/);
    });
  } finally {
    await Promise.all([sql.end({ timeout: 1 }), superuser.end({ timeout: 1 })]);
    await stack.stop();
  }
});
