/** `init`, `upgrade` and `uninstall` in the folder of somebody else's project. */
import assert from "node:assert/strict";
import { readPackage } from "../../cli/install/package_contents.ts";
import { VERSION } from "../../supabase/functions/backup/version.ts";
import { atTerminal } from "../cli/at_terminal.ts";
import { type Folder, makeFolder } from "./scene.ts";

const FUNCTION = "supabase/functions/backup";
const RECORD = `${FUNCTION}/installed.json`;
/** What this release has: the baseline, and what was appended since. */
const RELEASED = (await readPackage()).migrations.map(({ name }) => `${name}.sql`);
const OWN = { "20200101000000_mine.sql": "select 1;", "20991231235959_later.sql": "select 2;" };

async function installed(): Promise<Folder> {
  const folder = await makeFolder(OWN);
  const { code, err } = await folder.run(["init", "--versioning"]);
  assert.equal(code, 0, err);
  return folder;
}

Deno.test("init writes the function, and migrations after the project's own last one", async () => {
  await using folder = await installed();
  const names = await folder.migrations();
  assert.deepEqual(names.slice(0, 2), Object.keys(OWN));
  assert.deepEqual(names.slice(2).map((name) => name.replace(/^\d+_/, "")), RELEASED);
  assert.ok(names.slice(2).every((name) => name > "20991231235959"));
  assert.ok(await folder.exists(`${FUNCTION}/index.ts`) && await folder.exists(`${FUNCTION}/deno.json`));
  const record = JSON.parse(await folder.read(RECORD));
  assert.equal(record.version, VERSION);
  assert.ok(Object.keys(record.files).length > 100);
});

Deno.test("init adds its section to config.toml and touches nothing else of it", async () => {
  await using folder = await makeFolder();
  const before = await folder.read("supabase/config.toml");
  await folder.run(["init", "--no-versioning"]);
  const after = await folder.read("supabase/config.toml");
  assert.ok(after.startsWith(before.trimEnd()));
  assert.match(after, /\[functions\.backup\]\n(#.*\n)*verify_jwt = false\nimport_map = /);
  assert.ok((await folder.migrations()).every((name) => !name.includes("versioning")));
});

Deno.test("init corrects a section that is there, and keeps its comments", async () => {
  await using folder = await makeFolder();
  await folder.write(
    "supabase/config.toml",
    'project_id = "x"\n\n[functions.backup]\nverify_jwt = true # the default\nenabled = true\n\n[functions.other]\nverify_jwt = true\n',
  );
  const { code, err } = await folder.run(["init", "--versioning"]);
  assert.equal(code, 0, err);
  assert.equal(
    await folder.read("supabase/config.toml"),
    'project_id = "x"\n\n[functions.backup]\nimport_map = "./functions/backup/deno.json"\nverify_jwt = false # the default\nenabled = true\n\n[functions.other]\nverify_jwt = true\n',
  );
});

const SECRETS = /supabase secrets set BACKUP_S3_ENDPOINT=/;
const SECOND_COPY = /select backup\.configure\(second_copy => '(\w+)'\);/;

for (const [answer, chosen] of [["y", "s3"], ["n", "none"]] as const) {
  Deno.test(`init asks about a second copy; after ${answer} it prints what sets it to ${chosen}`, async () => {
    await using folder = await makeFolder();
    const env = { SUPABASE_URL: "", SUPABASE_SECRET_KEY: "", SUPABASE_DB_URL: "" };
    const { code, shown, unasked } = await atTerminal(
      ["init"],
      [
        [/Install versioning too\?.*\[y\/n\]/, "n"],
        [/second copy.*\[y\/n\]/, answer],
      ],
      env,
      folder.root,
    );
    assert.deepEqual([code, unasked], [0, []], shown);
    assert.equal(SECOND_COPY.exec(shown)?.[1], chosen);
    assert.equal(SECRETS.test(shown), answer === "y");
    // Asked once only: the answer stands in the database.
    const again = await atTerminal(["init"], [], env, folder.root);
    assert.equal(again.code, 0, again.shown);
  });
}

Deno.test("init takes the answer about a second copy as an option; without one both ways are named", async () => {
  await using folder = await makeFolder();
  const init = (...options: string[]) => folder.run(["init", "--versioning", ...options]);
  const undecided = await init("--dry-run");
  assert.equal(undecided.code, 0, undecided.err);
  const decided = await init("--second-copy", "s3_with_files");
  assert.equal(SECOND_COPY.exec(decided.out)?.[1], "s3_with_files");
  assert.match(decided.out, SECRETS);
  const open = await init();
  assert.match(open.out, /Decide on a second copy/);
  assert.match(open.out, /docs\/second-copy\.md/);
  assert.equal((await init("--second-copy", "sometimes")).code, 2);
});

Deno.test("init again changes nothing", async () => {
  await using folder = await installed();
  const names = await folder.migrations();
  const { code, out } = await folder.run(["init"]);
  assert.equal(code, 0);
  assert.match(out, /Everything of version/);
  assert.deepEqual(await folder.migrations(), names);
});

Deno.test("init with --dry-run writes nothing", async () => {
  await using folder = await makeFolder(OWN);
  const { code, out } = await folder.run(["init", "--dry-run"]);
  assert.equal(code, 0);
  assert.match(out, /create_backup\.sql/);
  assert.match(out, /Nothing was written/);
  assert.deepEqual(await folder.migrations(), Object.keys(OWN));
  assert.equal(await folder.exists(FUNCTION), false);
});

Deno.test("a file that was changed by hand is shown, and not overwritten without a word", async () => {
  await using folder = await installed();
  const path = `${FUNCTION}/index.ts`;
  const original = await folder.read(path);
  await folder.write(path, `${original}// mine\n`);
  const asked = await folder.run(["init"]);
  assert.equal(asked.code, 1);
  assert.match(asked.out, /^-\/\/ mine$/m);
  assert.match(asked.err, /--overwrite/);
  assert.ok((await folder.read(path)).endsWith("// mine\n"));
  assert.equal((await folder.run(["init", "--overwrite"])).code, 0);
  assert.equal(await folder.read(path), original);
});

Deno.test("outside of a Supabase project init says where it looked", async () => {
  await using folder = await makeFolder();
  await Deno.remove(`${folder.root}/supabase`, { recursive: true });
  const { code, err } = await folder.run(["init"]);
  assert.equal(code, 1);
  assert.match(err, /no folder has supabase\/config\.toml/);
  assert.match(err, /supabase init/);
});

Deno.test("a config.toml that is not TOML stops init before anything is written", async () => {
  await using folder = await makeFolder();
  await folder.write("supabase/config.toml", "[functions\nx");
  const { code, err } = await folder.run(["init", "--versioning"]);
  assert.equal(code, 1);
  assert.match(err, /Cannot read supabase\/config\.toml/);
  assert.equal(await folder.exists(FUNCTION), false);
});

Deno.test("upgrade replaces what is old, removes what is gone, and keeps migrations", async () => {
  await using folder = await installed();
  const record = JSON.parse(await folder.read(RECORD));
  const names = await folder.migrations();
  // As an older release would have left it: another text, and a file that is no longer part of it.
  const hash = async (text: string) =>
    Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))))
      .map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const current = await folder.read(`${FUNCTION}/index.ts`);
  await folder.write(`${FUNCTION}/index.ts`, "// old\n");
  await folder.write(`${FUNCTION}/gone.ts`, "// gone\n");
  record.version = "0.0.1";
  record.files[`${FUNCTION}/index.ts`] = await hash("// old\n");
  record.files[`${FUNCTION}/gone.ts`] = await hash("// gone\n");
  await folder.write(RECORD, JSON.stringify(record));

  assert.match((await folder.run(["init"])).err, /upgrade/);
  const { code, out, err } = await folder.run(["upgrade"]);
  assert.equal(code, 0, err);
  assert.match(out, new RegExp(`From version 0\\.0\\.1 to ${VERSION}`));
  assert.equal(await folder.read(`${FUNCTION}/index.ts`), current);
  assert.equal(await folder.exists(`${FUNCTION}/gone.ts`), false);
  assert.deepEqual(await folder.migrations(), names);
  assert.equal(JSON.parse(await folder.read(RECORD)).version, VERSION);
});

Deno.test("upgrade writes a migration that is missing with a time after the last one", async () => {
  await using folder = await installed();
  const record = JSON.parse(await folder.read(RECORD));
  const file = record.migrations.create_versioning;
  await Deno.remove(`${folder.root}/supabase/migrations/${file}`);
  await folder.write("supabase/migrations/20999999000000_newest.sql", "select 3;");
  delete record.migrations.create_versioning;
  record.version = "0.0.1";
  await folder.write(RECORD, JSON.stringify(record));
  assert.equal((await folder.run(["upgrade"])).code, 0);
  assert.equal((await folder.migrations()).at(-1), "20999999000001_create_versioning.sql");
});

Deno.test("upgrade refuses to go back", async () => {
  await using folder = await installed();
  const record = JSON.parse(await folder.read(RECORD));
  await folder.write(RECORD, JSON.stringify({ ...record, version: "99.0.0" }));
  const { code, err } = await folder.run(["upgrade"]);
  assert.equal(code, 1);
  assert.match(err, /newer than this one/);
});

Deno.test("uninstall asks, takes the function out, and init can install again", async () => {
  await using folder = await installed();
  const refused = await folder.run(["uninstall"]);
  assert.equal(refused.code, 1);
  assert.ok(await folder.exists(`${FUNCTION}/index.ts`));
  const { code, out, err } = await folder.run(["uninstall", "--confirm", "uninstall"]);
  assert.equal(code, 0, err);
  assert.match(out, /bucket and its backups stay/);
  assert.equal(await folder.exists(FUNCTION), false);
  const migration = (await folder.migrations()).at(-1)!;
  assert.match(migration, /_remove_backup\.sql$/);
  assert.match(
    await folder.read(`supabase/migrations/${migration}`),
    /drop schema if exists versioning cascade;\ndrop schema if exists versioning_private cascade;/,
  );

  assert.equal((await folder.run(["init", "--versioning"])).code, 0);
  const again = (await folder.migrations()).slice((await folder.migrations()).indexOf(migration) + 1);
  assert.deepEqual(again.map((name) => name.replace(/^\d+_/, "")), RELEASED);
});

Deno.test("uninstall with --keep-versioning leaves the histories", async () => {
  await using folder = await installed();
  assert.equal((await folder.run(["uninstall", "--keep-versioning", "--confirm", "uninstall"])).code, 0);
  const migration = await folder.read(`supabase/migrations/${(await folder.migrations()).at(-1)}`);
  assert.doesNotMatch(migration, /versioning/);
});
