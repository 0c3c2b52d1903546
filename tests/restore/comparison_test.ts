/** The comparison after a restore sees what did not come back as it was, whatever it is. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { dumpDatabase } from "../../cli/dump/dump_database.ts";
import { type ArchiveFile, openArchive, rowsOf } from "../../cli/source/archive_file.ts";
import { drill } from "../../cli/compare/drill.ts";
import { checksTable } from "../../cli/compare/checks_table.ts";
import { compareRestored } from "../../supabase/functions/backup/compare/compare_restored.ts";
import { runUserChecks } from "../../cli/compare/user_checks.ts";
import { makePlan, WHOLE } from "../../cli/plan/plan_restore.ts";
import { runRestore } from "../../cli/restore/run_restore.ts";
import { openTarget } from "../../cli/target/target.ts";
import { adler32, ADLER_OF_NOTHING, adlerText } from "../../supabase/functions/backup/archive/adler.ts";
import {
  LARGE_OBJECTS,
  type Manifest,
  type TableRows,
} from "../../supabase/functions/backup/manifest/manifest.ts";
import { startCluster } from "../../stack/postgres/cluster.ts";

const SOURCE = `
  create role reader nologin;
  create schema shop;
  create type shop.state as enum ('open', 'paid');
  create table shop.orders (
    id bigint generated always as identity primary key, state shop.state not null default 'open',
    note text, made timestamptz not null default '2026-11-22 03:00+00', constraint note_short check (length(note) < 100)
  );
  insert into shop.orders (note) select E'line\\n' || g || '\\\\' from generate_series(1, 100) g;
  create table shop.items (order_id bigint not null references shop.orders, number int not null, primary key (order_id, number));
  insert into shop.items select g, 1 from generate_series(1, 50) g;
  create index orders_made on shop.orders (made);
  create function shop.touch() returns trigger language plpgsql as $f$ begin return new; end $f$;
  create trigger touched before update on shop.orders for each row execute function shop.touch();
  alter table shop.orders enable row level security;
  create policy readers on shop.orders for select to reader using (state = 'paid');
  grant select on shop.orders to reader;
  create view shop.paid as select id from shop.orders where state = 'paid';
  comment on table shop.orders is 'What people buy';
  -- Its check finds the other table by the database's search_path only.
  create table public.kinds (name text);
  insert into public.kinds values ('book');
  create function public.is_kind(word text) returns boolean language plpgsql as
    $f$ begin return exists (select from kinds where name = word); end $f$;
  create table public.wares (kind text check (public.is_kind(kind)), number int not null);
  insert into public.wares values ('book', 1);
  select lo_from_bytea(4000000001, 'a picture'), lo_from_bytea(5001, repeat('large ', 100000)::bytea), lo_create(5002);
`;

/** A change of what was restored, and the check that must fail of it. */
const CHANGES: [what: string, sql: string, check: string, detail: RegExp][] = [
  [
    "a row is missing",
    "delete from shop.items where order_id = 50",
    "rows: shop.items",
    /49 rows, .* instead of 50 rows/,
  ],
  [
    "a value is another",
    "update shop.orders set note = 'other' where id = 7",
    "rows: shop.orders",
    /100 rows, content .* instead of 100 rows/,
  ],
  [
    "two values have changed places",
    `update shop.orders set note = case id when 1 then (select note from shop.orders where id = 2) else
      (select note from shop.orders where id = 1) end where id in (1, 2)`,
    "rows: shop.orders",
    /100 rows/,
  ],
  ["a row is too many", "insert into shop.items values (60, 9)", "rows: shop.items", /51 rows/],
  ["a table is missing", "drop table shop.items", "definitions: table", /shop\.items is missing/],
  [
    "a sequence is behind",
    "select setval('shop.orders_id_seq', 5)",
    "sequence of shop.orders.id",
    /next value is 6, but the column has 100/,
  ],
  [
    "a policy is missing",
    "drop policy readers on shop.orders",
    "definitions: policy",
    /orders readers is missing/,
  ],
  [
    "a policy is wider",
    "alter policy readers on shop.orders using (true)",
    "definitions: policy",
    /USING \(true\)/,
  ],
  [
    "row security is off",
    "alter table shop.orders disable row level security",
    "definitions: row security",
    /missing/,
  ],
  [
    "a grant is missing",
    "revoke select on shop.orders from reader",
    "definitions: acl",
    /missing|instead of/,
  ],
  [
    "a grant is too many",
    "grant select on shop.items to public",
    "definitions: acl",
    /TABLE items is not in the backup/,
  ],
  [
    "a trigger is off",
    "alter table shop.orders disable trigger touched",
    "definitions: trigger",
    /orders touched/,
  ],
  [
    "a function says something else",
    "create or replace function shop.touch() returns trigger language plpgsql as $f$ begin return null; end $f$",
    "definitions: function",
    /touch/,
  ],
  ["an index is missing", "drop index shop.orders_made", "definitions: index", /orders_made is missing/],
  [
    "an index is not valid",
    "update pg_index set indisvalid = false where indexrelid = 'shop.orders_made'::regclass",
    "indexes are valid",
    /not valid: shop\.orders_made/,
  ],
  [
    "a constraint is missing",
    "alter table shop.orders drop constraint note_short",
    "definitions: table",
    /shop\.orders/,
  ],
  [
    "a foreign key is missing",
    "alter table shop.items drop constraint items_order_id_fkey",
    "definitions: fk constraint",
    /missing/,
  ],
  [
    "a foreign key is not valid",
    "update pg_constraint set convalidated = false where contype = 'f'",
    "definitions: fk constraint",
    /NOT VALID/,
  ],
  [
    "a default is missing",
    "alter table shop.orders alter state drop default",
    "definitions: table",
    /shop\.orders/,
  ],
  [
    "an owner is another",
    "alter table shop.items owner to reader",
    "definitions: table",
    /items is owned by reader instead of/,
  ],
  ["a comment is another", "comment on table shop.orders is 'x'", "definitions: comment", /orders/],
  ["a large object is missing", "select lo_unlink(4000000001)", "large objects", /4000000001 is missing/],
  ["a large object is another", "select lo_put(5001, 9, 'X')", "large objects", /5001 has another content/],
  [
    "a view is another",
    "create or replace view shop.paid as select id from shop.orders",
    "definitions: view",
    /paid/,
  ],
  [
    "a table is too many",
    "create table shop.more ()",
    "definitions: table",
    /shop\.more is not in the backup/,
  ],
  [
    "no further row would be taken",
    "alter table shop.items add constraint no_more check (number > 5) not valid",
    "a further row for each table",
    /"shop"\."items": .*no_more/,
  ],
];

Deno.test("the comparison after a restore", async (test) => {
  const folder = await Deno.makeTempDir();
  const server = await startCluster({});
  const admin = postgres(server.url(), { max: 1, onnotice: () => {} });
  try {
    await admin`create database source`;
    await admin`create database pristine template template0`;
    const source = postgres(server.url("source"), { max: 1, onnotice: () => {} });
    await source.unsafe(SOURCE).simple();
    await source.end();
    const archive = await archiveOf(server.url("source"), `${folder}/archive`);
    const first = await openTarget(server.url("pristine"));
    const plan = await makePlan(archive, first, WHOLE);
    await runRestore(archive, first, plan, WHOLE);

    await test.step("finds nothing wrong with what is right, and changes nothing, however often it is asked", async () => {
      for (let time = 0; time < 2; time++) {
        const checks = await compareRestored(archive, null, plan, first);
        assert.deepEqual(
          checks.filter(({ outcome }) => outcome !== "passed"),
          [],
          checksTable(checks).join("\n"),
        );
      }
    });
    await test.step("sees that an archive is not what its manifest says: rows, their checksum, large objects", async () => {
      const items = archive.entries.find(({ desc, tag }) => desc === "TABLE DATA" && tag === "items")!;
      let checksum = ADLER_OF_NOTHING;
      for await (const piece of rowsOf(archive, items.dumpId)) checksum = adler32(piece, checksum);
      const failedOf = async (rows: number, checksum: string, objects: number) => {
        const tables: TableRows[] = [
          { schema: "shop", name: "items", rows, rawBytes: 0, adler32: checksum },
          { ...LARGE_OBJECTS, rows: objects, rawBytes: 0 },
        ];
        const checks = await compareRestored(archive, { tables } as Manifest, plan, first);
        return checks.filter(({ outcome }) => outcome === "failed").map(({ what, detail }) =>
          `${what}: ${detail}`
        );
      };
      const right = adlerText(checksum);
      assert.deepEqual(await failedOf(50, right, 3), []);
      assert.deepEqual(await failedOf(51, right, 3), [
        "rows: shop.items: the archive has 50, its manifest says 51",
      ]);
      assert.deepEqual(await failedOf(50, "00000000", 4), [
        `rows: shop.items: the archive's rows have the checksum ${right}, its manifest says 00000000`,
        "large objects: the archive has 3, its manifest says 4",
      ]);
    });
    await first.session.close();

    for (const [what, sql, check, detail] of CHANGES) {
      await test.step(`sees that ${what}`, async () => {
        await admin`create database changed template pristine`;
        const changed = postgres(server.url("changed"), { max: 1, onnotice: () => {} });
        await changed.unsafe(sql).simple().finally(() => changed.end());
        const target = await openTarget(server.url("changed"));
        try {
          const failed = (await compareRestored(archive, null, plan, target)).filter(({ outcome }) =>
            outcome === "failed"
          );
          assert.ok(
            failed.some((found) => found.what === check && detail.test(found.detail)),
            JSON.stringify(failed),
          );
        } finally {
          await target.session.close();
          await admin`drop database changed with (force)`;
        }
      });
    }

    await test.step("a drill reports a constraint that does not come back once", async () => {
      await admin`create database broken template source`;
      const broken = postgres(server.url("broken"), { max: 1, onnotice: () => {} });
      await broken.unsafe(
        "set session_replication_role = replica; delete from shop.orders where id in (7, 8, 9)",
      ).simple().finally(() => broken.end());
      await archiveOf(server.url("broken"), `${folder}/broken`);
      const { checks } = await drill({ kind: "file", path: `${folder}/broken` }, "broken", {
        to: server.url(),
        checks: `${folder}/none`,
        workDir: folder,
      });
      const failed = checks.filter(({ outcome }) => outcome === "failed").map(({ what }) => what);
      assert.deepEqual(failed, ["restore: FK CONSTRAINT shop.items items_order_id_fkey"]);
    });

    await test.step("asks the user's own questions, whose every answer must be true", async () => {
      const target = await openTarget(server.url("pristine"));
      const questions: Record<string, string> = {
        "a_right.sql": "select count(*) = 100 from shop.orders",
        "b_wrong.sql": "-- a comment\nselect note is null from shop.orders limit 3;",
        "c_none.sql": "select true where false",
        "d_broken.sql": "select true from shop.nothing",
        "e_writes.sql": "insert into shop.items values (60, 2) returning true",
        "f_several.sql": "set local work_mem = '4MB'; select true",
        "notes.txt": "not a question",
      };
      for (const [name, text] of Object.entries(questions)) {
        await Deno.writeTextFile(`${folder}/${name}`, text);
      }
      const answers = (await runUserChecks(target, folder)).map(({ what, outcome }) => `${what} ${outcome}`);
      await target.session.close();
      assert.deepEqual(answers, [
        "own check: a_right.sql passed",
        "own check: b_wrong.sql failed",
        "own check: c_none.sql failed",
        "own check: d_broken.sql failed",
        "own check: e_writes.sql failed",
        "own check: f_several.sql passed",
      ]);
    });
  } finally {
    await admin.end({ timeout: 1 });
    await server.stop();
    await Deno.remove(folder, { recursive: true });
  }
});

async function archiveOf(url: string, path: string): Promise<ArchiveFile> {
  const file = await Deno.open(path, { write: true, create: true });
  await dumpDatabase(url, async (bytes) => {
    for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
  });
  file.close();
  return await openArchive(path);
}
