/** What other people's code in a backup, honest or forged, can do to the machine that restores it: nothing. */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { drill } from "../../cli/compare/drill.ts";
import { checksTable } from "../../cli/compare/checks_table.ts";
import { countOf } from "../../supabase/functions/backup/compare/check.ts";
import { scratchServer } from "../../cli/restore/scratch.ts";
import { findOrigin } from "../../cli/source/source.ts";
import { startCluster } from "../../stack/postgres/cluster.ts";
import { forgeArchive, forgeBackup, type Forged, NAME } from "./forged.ts";

const SECRET = "sb_secret_that_nobody_may_read";

/** A function that tries each of these, and is content whatever becomes of it: a CHECK of any table may call it. */
function attack(...tries: string[]): Forged {
  const blocks = tries.map((sql) => `  begin ${sql}; exception when others then null; end;\n`).join("");
  return {
    desc: "FUNCTION",
    tag: "evil()",
    namespace: "tenant",
    owner: "tenant",
    drop: "DROP FUNCTION tenant.evil();\n",
    definition: "CREATE FUNCTION tenant.evil() RETURNS boolean\n    LANGUAGE plpgsql\n    AS $$\nbegin\n" +
      `${blocks}  return true;\nend $$;\n`,
  };
}

const TENANT: Forged = {
  desc: "SCHEMA",
  tag: "tenant",
  owner: "tenant",
  definition: "CREATE SCHEMA tenant;\n",
  drop: "DROP SCHEMA tenant;\n",
};
const TABLE: Forged = {
  desc: "TABLE",
  tag: "trap",
  namespace: "tenant",
  owner: "tenant",
  tablespace: "",
  tableam: "heap",
  definition:
    "CREATE TABLE tenant.trap (\n    id integer,\n    CONSTRAINT trap_check CHECK (tenant.evil())\n);\n",
  drop: "DROP TABLE tenant.trap;\n",
};
const ROWS: Forged = {
  desc: "TABLE DATA",
  tag: "trap",
  namespace: "tenant",
  owner: "tenant",
  copy: "COPY tenant.trap (id) FROM stdin;\n",
  rows: "1\n2\n",
};

interface Scene {
  folder: string;
  /** Where code that runs as the server would leave a trace. */
  witness: string;
}

async function scene(work: (scene: Scene) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  // The server may have another account than this process.
  const open = await Deno.makeTempDir({ prefix: "witness-" });
  await Deno.chmod(open, 0o777);
  Deno.env.set("SUPABASE_SECRET_KEY", SECRET);
  try {
    await work({ folder, witness: `${open}/witness` });
  } finally {
    Deno.env.delete("SUPABASE_SECRET_KEY");
    await Deno.remove(folder, { recursive: true });
    await Deno.remove(open, { recursive: true });
  }
}

async function drilled({ folder }: Scene) {
  const { checks } = await drill(await findOrigin(folder), NAME, {
    checks: "no such folder",
    workDir: `${folder}/work`,
  });
  return checks;
}

async function namesIn(folder: string): Promise<string[]> {
  return await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
}

Deno.test("a drill gives the code of a table's owner neither a shell nor a file of the machine", () =>
  scene(async (scene) => {
    const { witness } = scene;
    const run = (name: string) => `copy (select 1) to program 'env > ${witness}-${name}'`;
    await forgeBackup(scene.folder, [
      TENANT,
      attack(
        run("program"),
        `copy (select 'x'::text) to '${witness}-file'`,
        `perform lo_export(lo_from_bytea(0, 'x'::bytea), '${witness}-large-object')`,
        `execute 'set session authorization ' || (select quote_ident(rolname) from pg_roles where rolsuper limit 1);
         ${run("session")}`,
        `execute 'alter role ' || quote_ident(session_user) || ' superuser'; ${run("attribute")}`,
        `execute 'grant pg_execute_server_program to ' || quote_ident(session_user); ${run("membership")}`,
        `execute 'create extension dblink; create extension plperlu'; ${run("extension")}`,
      ),
      TABLE,
      ROWS,
    ]);
    const checks = await drilled(scene);
    assert.deepEqual(await namesIn(dirname(witness)), [], "nothing was run or written");
    assert.deepEqual(
      [countOf(checks).failed, countOf(checks).unchecked],
      [0, 0],
      checksTable(checks).join("\n"),
    );
  }));

Deno.test("a scratch server has nothing of the drill's environment", () =>
  scene(async () => {
    const found: string[] = [];
    const scratch = await scratchServer([]);
    try {
      const [server] = await scratch.target.session.sql<
        { port: number }[]
      >`select inet_server_port() as port`;
      const commands = new Map<string, string>();
      for await (const { name } of Deno.readDir("/proc")) {
        if (!/^\d+$/.test(name)) continue;
        commands.set(name, await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => ""));
      }
      // Other tests run servers of their own: only this one's programs count, which all name its folder.
      const main = [...commands.values()].find((command) => command.includes(`port=${server!.port}\0`));
      const folder = /\/cluster-\w+/.exec(main ?? "")?.[0];
      assert.ok(folder, "the server was found");
      for (const [name, command] of commands) {
        if (!command.includes(folder)) continue;
        const environment = await Deno.readTextFile(`/proc/${name}/environ`).catch(() => "");
        if (environment.includes(SECRET)) found.push(command.slice(0, 80));
      }
    } finally {
      await scratch.end();
    }
    assert.deepEqual(found, []);
  }));

/** Nothing that a terminal obeys, but the ends of lines. */
const OBEYED = /[^\P{Cc}\n]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

interface Ran {
  code: number;
  text: string;
}

/** A command as a person runs it, in an empty folder of its own. */
async function run(command: string, args: string[], cwd: string): Promise<Ran> {
  const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", `${root}deno.json`, `${root}cli/main.ts`, command, ...args],
    env: { NO_COLOR: "1" },
    cwd,
    stdin: "null",
  }).output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

Deno.test("names in a forged backup run nothing and draw nothing, in verify, drill and restore", () =>
  scene(async ({ folder, witness }) => {
    const backup = `${folder}/backup`;
    const cwd = `${folder}/cwd`;
    for (const path of [backup, cwd]) await Deno.mkdir(path);
    const name = `";\n\\! touch w\n$(touch w)'\u001b[2J\u001b]0;x\u0007\u202egnp\r`;
    const quotedName = `"${name.replaceAll('"', '""')}"`;
    const entries: Forged[] = [
      {
        desc: "SCHEMA",
        tag: name,
        owner: name,
        definition: `CREATE SCHEMA ${quotedName};\n`,
        drop: `DROP SCHEMA ${quotedName};\n`,
      },
      {
        desc: "TABLE",
        tag: name,
        namespace: name,
        owner: name,
        tablespace: "",
        tableam: "heap",
        definition: `CREATE TABLE ${quotedName}.${quotedName} (\n    id integer\n);\n`,
        drop: `DROP TABLE ${quotedName}.${quotedName};\n`,
      },
      {
        desc: "TABLE DATA",
        tag: name,
        namespace: name,
        owner: name,
        rows: "1\n",
        copy: `COPY ${quotedName}.${quotedName} (id) FROM stdin;\n`,
      },
    ];
    await forgeBackup(backup, entries, (manifest) => ({
      ...manifest,
      server: { version: `15.8${name}`, database: name },
      warnings: [{ code: name, object: name, message: name }],
    }));
    const server = await startCluster({ superuser: "owner" });
    try {
      const to = server.url("postgres");
      const ran = [
        await run("verify", ["--from", backup], cwd),
        await run(
          "restore",
          ["--from", backup, "--target-db-url", to, "--dry-run", "--work-dir", `${folder}/work`],
          cwd,
        ),
        await run("restore", [
          "--from",
          backup,
          "--target-db-url",
          to,
          "--check",
          "--work-dir",
          `${folder}/work`,
        ], cwd),
        await run("drill", ["--from", backup, "--work-dir", `${folder}/work`], cwd),
      ];
      for (const { text } of ran) assert.doesNotMatch(text, OBEYED);
      assert.deepEqual(ran.map(({ code }) => code), [0, 0, 0, 0], ran.map(({ text }) => text).join("\n\n"));
      const reports = await namesIn(`${cwd}/drills`);
      for (const report of reports) {
        assert.doesNotMatch(await Deno.readTextFile(`${cwd}/drills/${report}`), OBEYED);
      }
      assert.equal(reports.length, 2);
    } finally {
      await server.stop();
    }
    assert.deepEqual(await namesIn(dirname(witness)), [], "nothing was run");
    assert.deepEqual(await namesIn(cwd), ["drills"], "nothing was written elsewhere");
  }));

Deno.test("SQL that hides in a forged entry has the restoring role's rights and no others", () =>
  scene(async (scene) => {
    const { witness } = scene;
    const hidden = (name: string) => `copy (select 1) to program 'touch ${witness}-${name}';\n`;
    const places: Record<string, Forged[]> = {
      definition: [{ ...TENANT, definition: `CREATE SCHEMA tenant;\n${hidden("definition")}` }],
      "a commit first": [{ ...TENANT, definition: `CREATE SCHEMA tenant;\ncommit;\n${hidden("commit")}` }],
      rows: [TENANT, { ...TABLE, definition: "CREATE TABLE tenant.trap (\n    id integer\n);\n" }, {
        ...ROWS,
        copy: `COPY tenant.trap (id) FROM PROGRAM 'touch ${witness}-rows';\n`,
      }],
      "a role": [{ ...TENANT, owner: `x"; ${hidden("role")}` }, {
        desc: "ACL",
        tag: "SCHEMA tenant",
        owner: "supabase_backup_scratch_admin",
        definition: `SET SESSION AUTHORIZATION supabase_backup_scratch_admin;\n${hidden("admin")}`,
      }],
    };
    for (const [place, entries] of Object.entries(places)) {
      await forgeBackup(scene.folder, entries);
      const checks = await drilled(scene);
      assert.deepEqual(await namesIn(dirname(witness)), [], place);
      assert.ok(checks.length > 0);
    }
  }));

Deno.test("a forged manifest or archive reaches no file of another place, and no size of it takes memory", () =>
  scene(async ({ folder }) => {
    const backup = `${folder}/backup`;
    const work = `${folder}/work`;
    await Deno.mkdir(backup);
    const drillIt = () =>
      run("drill", ["--from", backup, "--work-dir", work, "--report", `${folder}/report`], folder);
    for (const name of ["../../00000.dump", "/etc/passwd", "00000.dump\0", "00000.dump/../../x.dump"]) {
      await forgeBackup(backup, [TENANT], (manifest) => ({
        ...manifest,
        parts: [{ ...manifest.parts[0], name }],
      }));
      const { code, text } = await drillIt();
      assert.equal(code, 1);
      assert.match(text, /manifest\.json/);
    }
    await forgeBackup(backup, [TENANT], (manifest) => ({ ...manifest, name: "../../outside" }));
    assert.equal((await drillIt()).code, 1);
    assert.deepEqual((await namesIn(folder)).sort(), ["backup"]);

    // The table of contents claims four gigabytes of entries, of which the first has a name of as many.
    const archive = forgeArchive([TENANT]);
    const count = archive.length - entryLength();
    archive.set([0, 0xff, 0xff, 0xff, 0xff], count - 5);
    await Deno.writeFile(`${backup}/large.dump`, archive);
    const large = await run("verify", ["--from", `${backup}/large.dump`], folder);
    assert.equal(large.code, 1);
    assert.match(large.text, /ends at byte|damaged or incomplete/);
  }));

/** Bytes of TENANT's entry. */
function entryLength(): number {
  return forgeArchive([TENANT, TENANT]).length - forgeArchive([TENANT]).length - dependencyLength();
}

/** The second one depends on the first: a length, and one digit. */
function dependencyLength(): number {
  return 5 + 1;
}

Deno.test("a drill with a key that does not fit says so, and is not reported as a failed drill", () =>
  scene(async ({ folder }) => {
    await forgeBackup(folder, [TENANT], (manifest) => ({
      ...manifest,
      encryption: { format: "age", recipients: ["age1somebody"] },
      parts: [{ ...manifest.parts[0]!, name: "00000.dump.age" }],
    }));
    await Deno.rename(`${folder}/00000.dump`, `${folder}/00000.dump.age`);
    const drillIt = () =>
      run("drill", [
        "--from",
        folder,
        "--identity",
        "/no/such/key",
        "--work-dir",
        `${folder}/work`,
        "--report",
        `${folder}/report`,
      ], folder);
    const { code, text } = await drillIt();
    assert.deepEqual([code, /\/no\/such\/key/.test(text)], [1, true], text);
    assert.deepEqual((await namesIn(folder)).sort(), ["00000.dump.age", "manifest.json"]);
    // What is wrong with the backup itself is reported.
    await forgeBackup(folder, [TENANT]);
    await Deno.writeTextFile(`${folder}/00000.dump`, "damaged");
    assert.match((await drillIt()).text, /0 passed, 1 failed/);
    assert.equal((await namesIn(`${folder}/report`)).length, 2);
  }));
