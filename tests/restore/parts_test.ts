/** What a restore decides, without a server: programs, roles, names that sound like production, orders, texts. */
import assert from "node:assert/strict";
import { entryOf } from "../doubles/entry.ts";
import { columnsOf } from "../../supabase/functions/backup/restore/sql_names.ts";
import { linesOf, valuesOf } from "../../supabase/functions/backup/restore_plan/copy_text.ts";
import { contentOf } from "../../supabase/functions/backup/compare/content_hash.ts";
import { databaseStatements } from "../../supabase/functions/backup/restore_plan/database_settings.ts";
import { asMarkdown, drillReport } from "../../cli/compare/drill_report.ts";
import { productionDoubt } from "../../cli/target/preflight.ts";
import { inOrderOfKeys } from "../../supabase/functions/backup/restore_guide/key_order.ts";
import { passwordIn } from "../../cli/target/password.ts";
import { argumentsOf, choosePgRestore } from "../../cli/restore/pg_restore.ts";
import type { BackupSettings, PlanContext } from "../../supabase/functions/backup/restore_plan/context.ts";
import type { Plan } from "../../supabase/functions/backup/restore_plan/plan_step.ts";
import { literal, withoutRoles } from "../../supabase/functions/backup/restore_plan/sql_text.ts";
import { select } from "../../supabase/functions/backup/restore_plan/select_entries.ts";
import { resetBackupState } from "../../supabase/functions/backup/restore_plan/reset_backup_state.ts";
import { classifyForProject } from "../../supabase/functions/backup/restore_guide/project_entries.ts";
import { rolesNamed } from "../../supabase/functions/backup/restore_guide/roles.ts";
import { parseTarget } from "../../supabase/functions/backup/postgres/target.ts";
import type { Entry } from "../../supabase/functions/backup/entry.ts";

const programs = (...majors: number[]) => majors.map((major) => ({ path: `/${major}/pg_restore`, major }));

Deno.test("choosePgRestore() takes the target's version, else the newest that fits", () => {
  assert.equal(choosePgRestore(programs(12, 15, 16, 17), 15).major, 15);
  assert.equal(choosePgRestore(programs(12, 14, 16, 18), 15).major, 16);
  assert.equal(choosePgRestore(programs(12, 18), 17).major, 18);
});

Deno.test("choosePgRestore() says how to get one, where none fits", () => {
  assert.throws(() => choosePgRestore([], 15), {
    message: /not installed/,
    hint: /apt-get install postgresql-client-15/,
  });
  // From 17 on it sets what a server 15 does not know; before 12 it cannot read the archive.
  assert.throws(
    () => choosePgRestore(programs(17, 18), 15),
    /pg_restore 17, 18 does not fit a server of version 15/,
  );
  assert.throws(() => choosePgRestore(programs(11), 15), /11 does not fit/);
});

Deno.test("argumentsOf() puts nothing secret on the command line, and takes no name for a connection string", () => {
  const options = { archive: "a.dump", jobs: 1, clean: false, noOwner: false, disableTriggers: false };
  assert.deepEqual(argumentsOf(options, "it's host=evil"), [
    "--dbname",
    "dbname='it\\'s host=evil'",
    "--exit-on-error",
    "--verbose",
    "--no-password",
    "--single-transaction",
    "a.dump",
  ]);
  assert.ok(!argumentsOf({ ...options, jobs: 2 }, "a").includes("--single-transaction"));
});

Deno.test("productionDoubt() knows names that sound like production, and those that tell nothing", () => {
  const source = {
    name: null,
    serverVersion: "15",
    database: "postgres",
    projectUrl: "https://abcdefghijklmnopqrst.supabase.co",
  };
  const doubt = (url: string, backup = source) => productionDoubt(parseTarget(url), backup);
  for (
    const url of [
      "postgres://a@db.example/app_production",
      "postgres://a@prod-db.example/x",
      "postgres://live@127.0.0.1/x",
    ]
  ) {
    assert.match(doubt(url)!, /sounds like production/, url);
  }
  for (
    const url of [
      "postgres://a@127.0.0.1/postgres",
      "postgres://a@localhost/postgres",
      "postgres://a@db.example/reproduction",
    ]
  ) {
    assert.equal(doubt(url), null, url);
  }
  assert.match(doubt("postgres://a@db.example/postgres")!, /nothing in its name tells it from production/);
  const other = "postgres://postgres@db.zzzzzzzzzzzzzzzzzzzz.supabase.co/postgres";
  assert.equal(doubt(other), null);
  assert.equal(doubt("postgres://postgres.zzzzzzzzzzzzzzzzzzzz@pooler.supabase.com/postgres"), null);
  assert.match(doubt(other, { ...source, projectUrl: "http://127.0.0.1:54321" })!, /nothing in its name/);
});

Deno.test("passwordIn() finds the line of libpq's password file that fits", () => {
  const file = [
    "# db.example:5432:*:*:commented",
    "other.example:5432:*:*:other",
    "db.example:6543:*:*:pooler",
    "db.example:5432:theatre:own\\:er:with\\:colon\\\\",
    "localhost:*:*:owner:socket",
    "*:*:*:reader:everywhere",
    "db.example:5432:theatre",
  ].join("\n");
  const found = (url: string) => passwordIn(file, parseTarget(url));
  assert.equal(found("postgres://own%3Aer@db.example/theatre"), "with:colon\\");
  assert.equal(found("postgres://own%3Aer@db.example/other"), null);
  assert.equal(found("postgres://a@db.example:6543/x"), "pooler");
  assert.equal(found("postgres://reader@anywhere:1/x"), "everywhere");
  assert.equal(found("postgres://owner@/x?host=/var/run/postgresql"), "socket");
  assert.equal(found("postgres://nobody@db.example/theatre"), null);
});

async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let begin = 0; begin < bytes.length; begin += size) {
    yield await Promise.resolve(bytes.slice(begin, begin + size));
  }
}

Deno.test("valuesOf() reads COPY text back, whatever pieces it comes in", async () => {
  const columns = columnsOf('COPY public."odd (name" (id, "with ""quotes"", and more", c) FROM stdin;\n');
  assert.deepEqual(columns, ["id", 'with "quotes", and more', "c"]);
  const text = "1\t\\N\té\\tb\\n\\\\\n2\t\t\\b\\f\\r\\v\n\\.\n\n\nignored";
  for (const size of [1, 2, 3, 7, 100]) {
    const rows = await Array.fromAsync(valuesOf(["a", "b", "c"], pieces(text, size)));
    assert.deepEqual(rows, [{ a: "1", b: null, c: "é\tb\n\\" }, { a: "2", b: "", c: "\b\f\r\v" }]);
    assert.equal((await Array.fromAsync(linesOf(pieces(text, size)))).length, 2);
  }
});

Deno.test("contentOf() depends on the rows, not on their order or on the pieces they come in", async () => {
  const of = (text: string, size = 5) => contentOf(pieces(text, size));
  const right = await of("a\tb\nc\td\n\\.\n\n\n");
  assert.equal(right.rows, 2);
  for (const size of [1, 2, 3, 100]) assert.deepEqual(await of("a\tb\nc\td\n\\.\n\n\n", size), right);
  assert.deepEqual(await of("c\td\na\tb\n"), right, "COPY TO has no end mark");
  for (const other of ["a\td\nc\tb\n", "a\tb\n", "a\tb\nc\td\n\n", "a\tb\nc\td\nc\td\n", "a\tb\nc\te\n"]) {
    assert.notEqual((await of(other)).hash, right.hash, other);
  }
  assert.notEqual((await of("x\nx\n")).hash, (await of("y\ny\n")).hash);
  assert.deepEqual(await of(""), { rows: 0, hash: "0".repeat(16) });
});

function entry(fields: Partial<Entry> & Pick<Entry, "dumpId" | "desc" | "tag">): Entry {
  return entryOf({ definition: "", ...fields });
}

Deno.test("rolesNamed() finds who is named in grants, policies, mappings and as an owner", () => {
  const entries = [
    entry({ dumpId: 1, desc: "TABLE", tag: "t", owner: "owner one" }),
    entry({
      dumpId: 2,
      desc: "ACL",
      tag: "TABLE t",
      owner: "postgres",
      definition: 'REVOKE ALL ON TABLE public."x TO y" FROM old;\nSET SESSION AUTHORIZATION grantor;\n' +
        'GRANT ALL ON TABLE public.t TO "Odd ""Role""" WITH GRANT OPTION;\nGRANT SELECT ON TABLE public.t TO PUBLIC;\n',
    }),
    entry({
      dumpId: 3,
      desc: "POLICY",
      tag: "t p",
      definition:
        `CREATE POLICY "a TO b" ON public."t x" FOR SELECT TO reader, "Second", PUBLIC USING ((x = ' TO nobody;'));\n`,
    }),
    entry({
      dumpId: 4,
      desc: "POLICY",
      tag: "t q",
      definition: "CREATE POLICY q ON public.t USING (true);\n",
    }),
    entry({
      dumpId: 5,
      desc: "USER MAPPING",
      tag: "m",
      definition: "CREATE USER MAPPING FOR mapped SERVER s;\n",
    }),
    entry({
      dumpId: 6,
      desc: "DEFAULT ACL",
      tag: "d",
      owner: "maker",
      definition: "ALTER DEFAULT PRIVILEGES FOR ROLE maker IN SCHEMA public GRANT ALL ON TABLES  TO taker;\n",
    }),
    entry({ dumpId: 7, desc: "SCHEMA", tag: "public", owner: "pg_database_owner" }),
  ];
  assert.deepEqual([...rolesNamed(entries, { owners: true })].sort(), [
    'Odd "Role"',
    "Second",
    "grantor",
    "maker",
    "mapped",
    "old",
    "owner one",
    "postgres",
    "reader",
    "taker",
  ]);
  assert.deepEqual([...rolesNamed(entries, { owners: false })].sort(), ["Second", "mapped", "reader"]);
});

Deno.test("withoutRoles() takes out the commands that name a role, and no others", () => {
  const commands = 'GRANT ALL ON TABLE public."a TO gone" TO here;\nGRANT ALL ON TABLE public.t TO gone;\n' +
    "REVOKE ALL ON TABLE public.t FROM gone;\nGRANT SELECT(a) ON TABLE public.t TO here WITH GRANT OPTION;\n";
  assert.equal(
    withoutRoles(commands, new Set(["gone"])),
    'GRANT ALL ON TABLE public."a TO gone" TO here;\nGRANT SELECT(a) ON TABLE public.t TO here WITH GRANT OPTION;\n',
  );
});

Deno.test("literal() is a constant whatever is in it", () => {
  assert.equal(literal("it's"), "'it''s'");
  assert.equal(literal("a\\'b"), " E'a\\\\''b'");
});

const THEATRE = [
  entry({ dumpId: 1, desc: "ENCODING", tag: "ENCODING", namespace: null }),
  entry({ dumpId: 2, desc: "SCHEMA", tag: "house", namespace: null }),
  entry({ dumpId: 3, desc: "TYPE", tag: "kind", namespace: "house", dependencies: [2] }),
  entry({ dumpId: 4, desc: "TABLE", tag: "play", namespace: "house", dependencies: [2, 3] }),
  entry({ dumpId: 5, desc: "TABLE", tag: "player", namespace: "house", dependencies: [2] }),
  entry({ dumpId: 6, desc: "SEQUENCE", tag: "play_id_seq", namespace: "house", dependencies: [2, 4] }),
  entry({
    dumpId: 7,
    desc: "SEQUENCE SET",
    tag: "play_id_seq",
    namespace: "house",
    dependencies: [6],
    section: "data",
  }),
  entry({
    dumpId: 8,
    desc: "TABLE DATA",
    tag: "play",
    namespace: "house",
    dependencies: [4],
    section: "data",
    hasData: true,
  }),
  entry({
    dumpId: 9,
    desc: "TABLE DATA",
    tag: "player",
    namespace: "house",
    dependencies: [5],
    section: "data",
    hasData: true,
  }),
  entry({
    dumpId: 10,
    desc: "CONSTRAINT",
    tag: "play play_pkey",
    namespace: "house",
    dependencies: [4],
    section: "post-data",
  }),
  entry({
    dumpId: 11,
    desc: "CONSTRAINT",
    tag: "player player_pkey",
    namespace: "house",
    dependencies: [5],
    section: "post-data",
  }),
  entry({
    dumpId: 12,
    desc: "FK CONSTRAINT",
    tag: "play star",
    namespace: "house",
    dependencies: [4, 5, 11],
    section: "post-data",
  }),
  entry({
    dumpId: 13,
    desc: "INDEX",
    tag: "by_title",
    namespace: "house",
    dependencies: [4],
    section: "post-data",
  }),
  entry({
    dumpId: 14,
    desc: "ACL",
    tag: "TABLE play",
    namespace: "house",
    dependencies: [4],
    section: "none",
  }),
  entry({
    dumpId: 15,
    desc: "COMMENT",
    tag: "INDEX by_title",
    namespace: "house",
    dependencies: [13],
    section: "none",
  }),
];
const EVERYTHING = { tables: [], schemas: [], schemaOnly: false, dataOnly: false };
const ids = (entries: Entry[]) => entries.map(({ dumpId }) => dumpId);

Deno.test("select() takes a table with what is its own, and what it needs where the target has it not", () => {
  const wanted = { ...EVERYTHING, tables: ["house.play"] };
  assert.deepEqual(ids(select(THEATRE, wanted, () => false)), [1, 2, 3, 4, 6, 7, 8, 10, 12, 13, 14, 15]);
  assert.deepEqual(ids(select(THEATRE, wanted, ({ desc }) => desc === "SCHEMA")), [
    1,
    3,
    4,
    6,
    7,
    8,
    10,
    12,
    13,
    14,
    15,
  ]);
  assert.deepEqual(ids(select(THEATRE, { ...wanted, schemaOnly: true }, () => true)), [
    1,
    4,
    6,
    10,
    12,
    13,
    14,
    15,
  ]);
  assert.deepEqual(ids(select(THEATRE, { ...wanted, dataOnly: true }, () => true)), [1, 7, 8]);
  assert.deepEqual(ids(select(THEATRE, { ...EVERYTHING, schemas: ["house"] }, () => true)), ids(THEATRE));
  assert.deepEqual(ids(select(THEATRE, EVERYTHING, () => true)), ids(THEATRE));
});

Deno.test("select() names what there is, when what was asked for is not", () => {
  assert.throws(() => select(THEATRE, { ...EVERYTHING, tables: ["house.plays"] }, () => true), {
    hint: /house\.play, house\.player/,
  });
  assert.throws(() => select(THEATRE, { ...EVERYTHING, schemas: ["home"] }, () => true), {
    hint: /It has house/,
  });
});

Deno.test("inOrderOfKeys() puts the rows of referenced tables first", () => {
  const rows = THEATRE.filter(({ section, desc }) => section === "data" || desc === "ENCODING");
  assert.deepEqual(ids(inOrderOfKeys(rows, THEATRE)), [1, 9, 8, 7]);
});

Deno.test("databaseStatements() says of another database what the archive says of its own", () => {
  const entries = [
    entry({
      dumpId: 1,
      desc: "DATABASE",
      tag: "my db",
      namespace: null,
      definition: 'CREATE DATABASE "my db" WITH TEMPLATE = template0;\n',
    }),
    entry({
      dumpId: 2,
      desc: "DATABASE PROPERTIES",
      tag: "my db",
      namespace: null,
      definition:
        `ALTER DATABASE "my db" SET "app.x" TO ' DATABASE "my db" ';\nALTER ROLE r IN DATABASE "my db" SET a TO 'b';\n`,
    }),
    entry({
      dumpId: 3,
      desc: "ACL",
      tag: "DATABASE my db",
      namespace: null,
      definition: 'GRANT CONNECT ON DATABASE "my db" TO r;\n',
    }),
  ];
  assert.equal(
    databaseStatements(entries, "new", false),
    `ALTER DATABASE "new" SET "app.x" TO ' DATABASE "my db" ';\nALTER ROLE r IN DATABASE "new" SET a TO 'b';\n` +
      'GRANT CONNECT ON DATABASE "new" TO r;\n',
  );
  assert.ok(!databaseStatements(entries, "new", true).includes("GRANT"));
});

Deno.test("classifyForProject() tells what is the platform's, what is the user's, and why something of theirs stays behind", () => {
  const disposition = (fields: Partial<Entry> & Pick<Entry, "desc" | "tag">) => {
    const [item] = classifyForProject([entry({ dumpId: 1, ...fields })]);
    return item!.why === "" ? item!.disposition : `${item!.disposition}: ${item!.why}`;
  };
  const trigger = (calls: string) =>
    `CREATE TRIGGER t AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION ${calls};\n`;
  assert.equal(disposition({ desc: "TABLE", tag: "a" }), "restored");
  assert.equal(disposition({ desc: "TABLE", tag: "a", owner: "supabase_admin" }), "restored");
  assert.equal(
    disposition({ desc: "TABLE", tag: "users", namespace: "auth", owner: "supabase_auth_admin" }),
    "left out",
  );
  assert.match(
    disposition({ desc: "FUNCTION", tag: "mine()", namespace: "auth" }),
    /^left out: it is yours in the platform's schema auth/,
  );
  assert.equal(disposition({ desc: "TABLE DATA", tag: "users", namespace: "auth" }), "rows");
  assert.equal(disposition({ desc: "TABLE DATA", tag: "sessions", namespace: "auth" }), "left out");
  assert.equal(
    disposition({ desc: "POLICY", tag: "objects p", namespace: "storage", owner: "supabase_storage_admin" }),
    "restored",
  );
  assert.equal(
    disposition({ desc: "TRIGGER", tag: "users t", namespace: "auth", definition: trigger("public.f()") }),
    "restored",
  );
  assert.equal(
    disposition({
      desc: "TRIGGER",
      tag: "objects t",
      namespace: "storage",
      owner: "supabase_storage_admin",
      definition: trigger("storage.f()"),
    }),
    "left out",
  );
  assert.equal(
    disposition({ desc: "TRIGGER", tag: "a t", definition: trigger("supabase_functions.http_request('u')") }),
    "webhook",
  );
  assert.equal(disposition({ desc: "PUBLICATION", tag: "supabase_realtime", namespace: null }), "left out");
  assert.equal(
    disposition({
      desc: "PUBLICATION",
      tag: "mine",
      namespace: null,
      definition: "CREATE PUBLICATION mine;\n",
    }),
    "restored",
  );
  assert.match(
    disposition({
      desc: "PUBLICATION",
      tag: "all",
      namespace: null,
      definition: "CREATE PUBLICATION all FOR ALL TABLES;\n",
    }),
    /superuser/,
  );
  assert.equal(
    disposition({ desc: "EVENT TRIGGER", tag: "e", namespace: null, owner: "supabase_admin" }),
    "left out",
  );
  assert.equal(
    disposition({ desc: "SCHEMA", tag: "vault", namespace: null, owner: "supabase_admin" }),
    "left out",
  );
  assert.equal(disposition({ desc: "SCHEMA", tag: "mine", namespace: null }), "restored");
  assert.equal(disposition({ desc: "SCHEMA", tag: "supabase_migrations", namespace: null }), "migrations");
  assert.equal(disposition({ desc: "DEFAULT ACL", tag: "d", owner: "supabase_admin" }), "left out");
  assert.equal(
    disposition({ desc: "ACL", tag: "SCHEMA public", namespace: null, owner: "pg_database_owner" }),
    "restored",
  );
  const ofPlatform = classifyForProject([
    entry({ dumpId: 1, desc: "SCHEMA", tag: "new", namespace: null, owner: "supabase_new_admin" }),
    entry({
      dumpId: 2,
      desc: "TABLE",
      tag: "t",
      namespace: "new",
      owner: "supabase_new_admin",
      dependencies: [1],
    }),
    entry({
      dumpId: 3,
      desc: "INDEX",
      tag: "i",
      namespace: "new",
      owner: "supabase_new_admin",
      dependencies: [2],
    }),
    entry({ dumpId: 4, desc: "ACL", tag: "SCHEMA new", namespace: null, dependencies: [1] }),
  ]);
  assert.deepEqual(
    ofPlatform.map(({ disposition }) => disposition),
    Array(4).fill("left out"),
    "a schema that we do not know yet",
  );
  const extension = (name: string, ...more: Entry[]) =>
    classifyForProject([
      entry({ dumpId: 1, desc: "SCHEMA", tag: name, namespace: null }),
      entry({ dumpId: 2, desc: "EXTENSION", tag: name, namespace: null, dependencies: [1] }),
      entry({ dumpId: 3, desc: "COMMENT", tag: `EXTENSION ${name}`, namespace: null, dependencies: [2] }),
      entry({ dumpId: 4, desc: "ACL", tag: `SCHEMA ${name}`, namespace: null, dependencies: [1] }),
      ...more,
    ]).map(({ disposition }) => disposition);
  const [restored, out] = ["restored", "left out"];
  assert.deepEqual(extension("pgmq"), [restored, restored, out, restored], "its schema comes with it");
  assert.deepEqual(extension("vault"), [out, restored, out, out], "every project has the schema");
  assert.deepEqual(extension("pgsodium"), [out, out, out, out], "only Vault used it");
  const user = entry({ dumpId: 5, desc: "TABLE", tag: "sealed", dependencies: [2] });
  assert.deepEqual(extension("pgsodium", user), [restored, restored, out, restored, restored]);
  const [, comment] = classifyForProject([
    entry({ dumpId: 1, desc: "SERVER", tag: "s", namespace: null, owner: "supabase_admin" }),
    entry({ dumpId: 2, desc: "COMMENT", tag: "SERVER s", namespace: null, dependencies: [1] }),
  ]);
  assert.equal(comment!.disposition, "left out", "goes where its object goes");
});

/** What the step changes, of a plan that restores these entries. */
function reset(restored: readonly Entry[], backupSettings: BackupSettings): Partial<Plan> {
  const context = { options: { settle: true }, backupSettings } as unknown as PlanContext;
  return resetBackupState(context, { restored } as unknown as Plan);
}

const sqlOf = ({ after }: Partial<Plan>) => (after ?? []).map(({ sql }) => sql).join("");

Deno.test("resetBackupState() has a copy forget where the source's function and second copies are", () => {
  const data = (dumpId: number, tag: string, columns: string) =>
    entry({
      dumpId,
      desc: "TABLE DATA",
      tag,
      namespace: "backup",
      copy: `COPY backup.${tag} (${columns}) FROM stdin;\n`,
    });
  const restored = (columns: string) => [data(1, "settings", columns), data(2, "log", "id")];
  assert.match(
    sqlOf(reset(restored("id, function_url, second_copy"), {})),
    /^UPDATE backup.settings SET function_url = NULL, second_copy = NULL;/,
  );
  assert.match(
    sqlOf(reset(restored("id, function_url"), {})),
    /^UPDATE backup.settings SET function_url = NULL;/,
  );
  assert.equal(sqlOf(reset([], {})), "");
});

Deno.test("resetBackupState() leaves them as they are in the very project, where the log is rebuilt from the bucket", () => {
  const restored = ["settings", "log"].map((tag, dumpId) =>
    entry({
      dumpId,
      desc: "TABLE DATA",
      tag,
      namespace: "backup",
      copy: `COPY backup.${tag} (id, function_url) FROM stdin;\n`,
    })
  );
  const changed = reset(restored, { function_url: "https://here", second_copy: "s3" });
  assert.equal(
    sqlOf(changed),
    "UPDATE backup.settings SET function_url = 'https://here';\nDELETE FROM backup.log WHERE finished_at IS NULL;\n",
  );
  assert.deepEqual(changed.toDo, []);
  assert.match(
    changed.notes!.join("\n"),
    /the target keeps its backup settings[\s\S]*the backup has no settings second_copy/,
  );
});

Deno.test("resetBackupState() weakens no protection in the very project: encryption, bucket, copies and retention stay", () => {
  const columns = "id, function_url, bucket, recipient, second_copy, keep_weekly, level";
  const restored = ["settings", "log"].map((tag, dumpId) =>
    entry({
      dumpId,
      desc: "TABLE DATA",
      tag,
      namespace: "backup",
      copy: `COPY backup.${tag} (${columns}) FROM stdin;\n`,
    })
  );
  const there = {
    id: true,
    function_url: "https://here",
    bucket: "vaulted",
    recipient: "age1it's",
    second_copy: null,
    keep_weekly: 52,
    level: 6,
  };
  assert.equal(
    sqlOf(reset(restored, there)).split("\n")[0],
    "UPDATE backup.settings SET function_url = 'https://here', bucket = 'vaulted', recipient = 'age1it''s', " +
      "second_copy = NULL, keep_weekly = '52', level = '6';",
  );
});

Deno.test("asMarkdown() tells the outcomes apart, and shows names as they are", () => {
  const report = drillReport("backup-20261122-030000", "a scratch server", new Date("2026-11-22T04:00:00Z"), [
    { what: "rows: public.a_b", outcome: "passed", detail: "1 rows" },
    { what: "rows: public.c", outcome: "failed", detail: "0 rows\ninstead of 1" },
    { what: "rows: public.d", outcome: "unchecked", detail: "" },
  ]);
  assert.deepEqual(report.counts, { passed: 1, failed: 1, skipped: 0, unchecked: 1 });
  const text = asMarkdown(report);
  assert.match(text, /\*\*FAILED\.\*\* 1 passed, 1 failed, 0 skipped, 1 unchecked\./);
  assert.match(text, /## Failed \(1\)\n\n- \*\*rows: public\.c\*\* 0 rows instead of 1\n/);
  assert.match(text, /public\.a_b/);
  assert.match(text, /## Skipped[^\n]*\(0\)\n\nNone\./);
});
