/**
 * Schemas of hostile objects, made at random, are tracked, written to, read back, backed up, drilled and restored:
 * nothing of theirs runs as somebody else. FUZZ_CASES says how many (5; 20 of the long tests), FUZZ_SEED with which
 * seed they begin; a finding names the seed that shows it alone.
 */
import assert from "node:assert/strict";
import postgres, { type Sql } from "postgres";
import { drill } from "../../cli/compare/drill.ts";
import { dumpDatabase } from "../../cli/dump/dump_database.ts";
import { openArchive } from "../../cli/source/archive_file.ts";
import { startCluster } from "../../stack/postgres/cluster.ts";
import { openSession } from "../../supabase/functions/backup/postgres/session.ts";
import { restore } from "../../supabase/functions/backup/restore/restore.ts";
import { originOf } from "../restore/scene.ts";
import { type Project, sessionsEnded, startProject, until } from "../e2e/project.ts";
import { type HostileSchema, hostileSchema } from "./hostile/objects.ts";
import { Random } from "./hostile/random.ts";
import { hostileSession } from "./hostile/session.ts";
import { TENANT, VISITOR, WITNESSES } from "./hostile/witness.ts";

const CASES = Number(Deno.env.get("FUZZ_CASES") ?? (Deno.env.has("ALL_TESTS") ? 20 : 5));
const FIRST = Number(Deno.env.get("FUZZ_SEED") ?? 1);

/** As many share a project, whose backup must end in time. */
const BATCH = 20;

for (let first = FIRST; first < FIRST + CASES; first += BATCH) {
  const count = Math.min(BATCH, FIRST + CASES - first);
  Deno.test(`nothing in ${count} hostile schemas from ${first} on runs as somebody else`, (t) =>
    attack(t, first, count));
}

async function attack(t: Deno.TestContext, first: number, count: number): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "witness-" });
  await Deno.chmod(folder, 0o777);
  await using project = await startProject();
  const { sql, superuser } = project;
  await superuser.unsafe(WITNESSES).simple();
  await superuser.unsafe(
    `create foreign data wrapper nothing; create server nowhere foreign data wrapper nothing;
    grant usage on foreign server nowhere to ${TENANT}`,
  ).simple();
  const schemas = Array.from({ length: count }, (_, index) => hostileSchema(first + index, folder));
  const tenant = sessionOf(project, TENANT);
  /** Throws where anybody has left a witness but those who made and wrote the objects. */
  const nobody = async (step: string) => {
    const seen = await superuser<{ text: string }[]>`
      select distinct concat(role, case when privileged then ', privileged' end, ' in a session of ', session, ': ', left(what, 80)) as text
      from witness.seen where role not in (${TENANT}, ${VISITOR}) or privileged order by 1`;
    await superuser`truncate witness.seen`;
    const files = await Array.fromAsync(Deno.readDir(folder), ({ name }) => `a shell made ${name}`);
    const found = [...seen.map(({ text }) => text), ...files];
    if (found.length > 0) throw new Error(reproduction(step, found, schemas));
  };
  try {
    await t.step("made by their owner", async () => {
      const counts = { made: 0, refused: 0 };
      for (const { sql: statements } of schemas) await runAll(tenant, statements, counts);
      assert.ok(counts.made > counts.refused * 5, JSON.stringify(counts));
      await nobody("made");
    });

    await t.step("tracked by postgres", async () => {
      let tracked = 0;
      for (const { tables } of schemas) {
        for (const { name } of tables) {
          tracked += await sql`select versioning.track(${name}::text::regclass)`.then(() => 1, () => 0);
        }
      }
      // The others are refused: planning their statements would run the owner's functions.
      assert.ok(tracked >= schemas.length / 2, `${tracked} tracked`);
      await nobody("tracked");
    });

    await t.step("written by another, before and after further changes of the owner's", async () => {
      const counts = { made: 0, refused: 0 };
      for (const round of [0, 1]) {
        for (const [index, schema] of schemas.entries()) {
          const visitor = sessionOf(project, VISITOR);
          try {
            const random = new Random(first + index + round * 1000);
            await runAll(visitor, hostileSession(random, schema.name), { made: 0, refused: 0 });
            for (const { writes } of schema.tables) await runAll(visitor, writes, counts);
          } finally {
            await visitor.end();
          }
          if (round === 0) await runAll(tenant, schema.later, { made: 0, refused: 0 });
        }
        await nobody(`written, round ${round}`);
      }
      const [versions] = await sql`select count(*)::int as count from versioning.records`;
      assert.ok(versions!.count > count * 5, `${versions!.count} versions, ${JSON.stringify(counts)}`);
    });

    await t.step("read, compared and looked after by postgres", async () => {
      for (const statement of readings(schemas)) await sql.unsafe(statement).catch(() => {});
      await nobody("read");
    });

    await t.step("put back by another", async () => {
      const visitor = sessionOf(project, VISITOR);
      try {
        await superuser.unsafe(
          `grant usage on schema versioning to ${VISITOR}; grant service_role to ${VISITOR}`,
        ).simple();
        for (const { name } of schemas) {
          await runAll(visitor, [
            `select versioning.restore(r.id, if_changed => 'overwrite') from versioning.records r join versioning.tables t on t.id = r.table_id
              where t.schema_name = '${name}' order by r.id desc limit 3`,
          ], { made: 0, refused: 0 });
        }
      } finally {
        await visitor.end();
      }
      await nobody("put back");
    });

    let name = "";
    await t.step("backed up", async () => {
      await superuser.unsafe(`alter database postgres set search_path = ${schemas[0]!.name}, public`);
      await sql`select backup.configure(slice_bytes => 262144)`;
      await tenant.end();
      await sql`select pg_stat_force_next_flush()`;
      await until(
        "the counts of all calls are known",
        async () =>
          (await superuser`select from pg_stat_activity where usename in (${TENANT}, ${VISITOR})`).length ===
              0
            ? true
            : null,
      );
      const before = await callsOf(superuser);
      const run = await project.backUp();
      await sessionsEnded(superuser);
      await nobody("backed up");
      // What runs in a transaction that only reads leaves no row.
      const called = (await callsOf(superuser)).filter((call) => !before.includes(call));
      if (called.length > 0) throw new Error(reproduction("backed up", called, schemas));
      assert.equal(run.status, "succeeded", `${run.error_message} ${run.error_hint}`);
      name = run.name;
    });

    await t.step("drilled", async () => {
      const { checks } = await drill(originOf(project), name, { checks: "none", workDir: `${folder}-work` });
      await nobody("drilled");
      assert.ok(checks.length > 0);
    });

    await t.step("restored by a role that owns the target", async () => {
      const target = await startCluster({ superuser: "supabase_admin" });
      const admin = postgres(target.url(), { max: 1, onnotice: () => {} });
      try {
        for (const role of ["postgres createrole bypassrls", TENANT, VISITOR]) {
          await admin.unsafe(`create role ${role} login`);
        }
        await admin.unsafe(`grant ${TENANT}, ${VISITOR} to postgres`);
        await admin.unsafe("create database restored owner postgres template template0");
        const archive = await openArchive(await dumped(project, folder));
        const entries = archive.entries.filter(({ desc, namespace, tag }) =>
          /^(h\d+|witness)$/.test(namespace ?? (desc === "SCHEMA" ? tag : ""))
        );
        const open = () => openSession(target.url("restored", "postgres"));
        const { rows, leftOut } = await restore({ archive, plan: { entries }, open });
        const restored = postgres(target.url("restored"), { max: 1 });
        // A restore runs checks and generated columns as the role that restores, and nothing with more rights.
        const seen = await restored`select distinct role, what from witness.seen
          where privileged or role not in ('postgres', ${TENANT}, ${VISITOR})`.finally(() => restored.end());
        assert.deepEqual(seen.map((row) => ({ ...row })), []);
        await nobody("restored");
        assert.ok(
          rows > 0 && leftOut.length < entries.length / 4,
          `${rows} rows, ${leftOut.length} entries left out`,
        );
      } finally {
        await admin.end();
        await target.stop();
      }
    });
  } finally {
    await tenant.end({ timeout: 1 });
    await Deno.remove(folder, { recursive: true });
    await Deno.remove(`${folder}-work`, { recursive: true }).catch(() => {});
  }
}

/** Writes the archive of the project into a file beside the folder. Returns its path. */
async function dumped({ stack }: Project, folder: string): Promise<string> {
  const path = `${folder}-work/archive.dump`;
  await Deno.mkdir(`${folder}-work`, { recursive: true });
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  await dumpDatabase(stack.databaseUrl, async (bytes) => {
    for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
  });
  return path;
}

function sessionOf({ stack }: Project, role: string): Sql {
  const url = stack.databaseUrl.replace(/postgres:[^@]*@/, `${role}:${role}@`);
  return postgres(url, { max: 1, onnotice: () => {} });
}

/** Statements that are refused are counted: not every combination is one. */
async function runAll(
  sql: Sql,
  statements: string[],
  counts: { made: number; refused: number },
): Promise<void> {
  for (const statement of statements) {
    try {
      await sql.unsafe(statement).simple();
      counts.made++;
    } catch (error) {
      counts.refused++;
      if (Deno.env.has("FUZZ_VERBOSE")) {
        console.error(`${(error as Error).message}: ${statement.slice(0, 150)}`);
      }
    }
  }
}

/** What postgres asks of histories, and what the nightly jobs do. */
function readings(schemas: readonly HostileSchema[]): string[] {
  return [
    "select count(*) from (select * from versioning.history offset 0) h",
    "select versioning.diff(id), versioning.summary(h) from versioning.history h",
    "select * from versioning.sizes",
    ...schemas.flatMap(({ tables }) =>
      tables.flatMap(({ name }) => [
        `select versioning.as_of('${name}', now())`,
        `select * from versioning.rows_as_of(null::${name}, now())`,
        `select versioning.versions('${name}', (select max(key) from versioning.records))`,
      ])
    ),
    "select versioning.refresh()",
    "select versioning.upkeep()",
    "select backup.check()",
    "select * from backup.health",
  ];
}

/** How often functions of the hostile schemas were called, by anybody. */
async function callsOf(superuser: Sql): Promise<string[]> {
  return (await superuser<{ text: string }[]>`
    select schemaname || '.' || funcname || '() was called ' || calls || ' times' as text from pg_stat_user_functions
    where schemaname ~ '^h[0-9]+$' order by 1`).map(({ text }) => text);
}

/** What was found, and the statements of the first schema that it names. */
function reproduction(step: string, found: string[], schemas: readonly HostileSchema[]): string {
  const [, name] = /\b(h\d+)\./.exec(found.join("\n")) ?? [];
  const schema = schemas.find((one) => one.name === name);
  const statements = schema
    ? [...schema.sql, ...schema.later, ...schema.tables.flatMap(({ writes }) => writes)]
    : [];
  return [
    `${step}: ${found.length} findings`,
    ...found.slice(0, 30),
    ...schema ? [`FUZZ_SEED=${name!.slice(1)} FUZZ_CASES=1 shows it alone; its statements:`] : [],
    ...Deno.env.has("FUZZ_VERBOSE") ? statements.map((statement) => `${statement};`) : [],
  ].join("\n");
}
