/**
 * Planning a query of a table runs functions of its indexes and statistics, as whoever asks: PostgreSQL computes calls
 * with constant arguments. A backup therefore asks no query of a table whose owner is somebody else, but copies it,
 * which plans nothing.
 */
import assert from "node:assert/strict";
import postgres from "postgres";
import { openSession } from "../../supabase/functions/backup/postgres/session.ts";
import { beginSnapshot } from "../../supabase/functions/backup/postgres/snapshot.ts";
import { SegmentDeflater } from "../../supabase/functions/backup/archive/segment.ts";
import { estimateTables } from "../../supabase/functions/backup/slices/estimate.ts";
import { exportPiece } from "../../supabase/functions/backup/slices/export_piece.ts";
import { planSlices } from "../../supabase/functions/backup/slices/plan.ts";
import type { Catalog } from "../../supabase/functions/backup/catalog/catalog.ts";
import { readSequenceValues } from "../../supabase/functions/backup/catalog/sequence_values.ts";
import { readDump } from "../../supabase/functions/backup/toc/dump.ts";
import { startCluster } from "../../stack/postgres/cluster.ts";
import { until } from "../e2e/project.ts";
import { OTHER_VERSIONS, withServerOf } from "../servers/versions.ts";
import { hostileSchema } from "./hostile/objects.ts";
import { TENANT, WITNESSES } from "./hostile/witness.ts";

const SLICE_BYTES = 65536;

/** A table that is large enough to be cut, with a function of the owner's in each place that planning looks at. */
const tableOf = (schema: string, owner: string) => `
  set role ${owner};
  create function ${schema}.evil(what text) returns boolean language plpgsql immutable as $$ begin return true; end $$;
  create function ${schema}.evil(a text, b text) returns boolean language plpgsql immutable as $$ begin return true; end $$;
  create operator ${schema}.=== (leftarg = text, rightarg = text, function = ${schema}.evil);
  create table ${schema}.large (id int primary key, note text);
  insert into ${schema}.large select g, repeat(md5(g::text), 20) from generate_series(1, 2000) g;
  create index on ${schema}.large (id) where ${schema}.evil('predicate');
  create index on ${schema}.large (id) where 'a'::text operator(${schema}.===) 'b';
  create index on ${schema}.large ((${schema}.evil('expression')));
  create statistics ${schema}.expressions on (${schema}.evil('statistics')), id from ${schema}.large;
  grant select on ${schema}.large to postgres;
  reset role;`;

for (const version of [undefined, ...OTHER_VERSIONS]) {
  const where = version === undefined ? "" : ` (PostgreSQL ${version})`;
  Deno.test(`a backup runs no function of an index, as planning its queries would${where}`, () =>
    withServer(version, async (admin, url) => {
      await admin.unsafe(`
        create role holder nologin; grant holder to postgres;
        create schema tenant authorization ${TENANT}; create schema held authorization holder; create schema ours authorization postgres;
        ${tableOf("tenant", TENANT)} ${tableOf("held", "holder")} ${tableOf("ours", "postgres")}
        create table ours.borrowed (id int primary key, note text);
        insert into ours.borrowed select g, repeat(md5(g::text), 20) from generate_series(1, 2000) g;
        create index on ours.borrowed (id) where tenant.evil('predicate'); alter table ours.borrowed owner to postgres`)
        .simple();
      const tables = (await exported(url)).filter(({ name }) => /\.(large|borrowed)$/.test(name));
      assert.deepEqual(await called(admin), []);
      // Nobody but the backup's role acts as these owners: their tables are cut as before.
      assert.deepEqual(tables, [
        { name: "held.large", cut: true },
        { name: "ours.borrowed", cut: false },
        { name: "ours.large", cut: true },
        { name: "tenant.large", cut: false },
      ]);
    }));

  Deno.test(`a backup reads no table in the place of a sequence${where}`, () =>
    withServer(version, async (admin, url) => {
      await admin.unsafe(
        `create schema tenant authorization ${TENANT}; grant usage on schema tenant to postgres`,
      );
      const tenant = postgres(url.replace("//postgres@", `//${TENANT}@`), { max: 1, onnotice: () => {} });
      await tenant.unsafe(`
        create function tenant.evil() returns boolean language plpgsql immutable as
          $$ begin if current_user <> '${TENANT}' then raise exception 'this ran as %', current_user; end if; return true; end $$;
        create sequence tenant.asked; select nextval('tenant.asked'), nextval('tenant.asked');
        create sequence tenant.swapped start 5;
        grant select on all sequences in schema tenant to postgres`).simple();
      await tenant`begin`;
      await tenant.unsafe(`
        drop sequence tenant.swapped;
        create table tenant.swapped (last_value bigint, is_called boolean);
        create index on tenant.swapped (last_value) where tenant.evil();
        grant select on tenant.swapped to postgres`).simple();
      const [reading] = await Promise.all([
        sequenceValues(url).catch((error) => error),
        until("the backup waits, or has what it wants", async () => {
          const sessions =
            await admin`select wait_event_type from pg_stat_activity where usename = 'postgres'`;
          return sessions.some(({ wait_event_type }) => wait_event_type === "Lock") ? true : null;
        }).then(() => tenant`commit`),
      ]);
      await tenant.end();
      assert.doesNotMatch(String(reading), /this ran as/);
      // The sequence is gone, so the attempt ends, and another follows.
      assert.match(String(reading), /could not open relation with OID|does not exist/);
      assert.deepEqual([...(await sequenceValues(url)).values()], [{ last: "2", called: true }]);
    }));

  Deno.test(`a backup runs no function of hostile schemas${where}`, () =>
    withServer(version, async (admin, url) => {
      const tenant = postgres(url.replace("//postgres@", `//${TENANT}@`), { max: 1, onnotice: () => {} });
      let refused = 0;
      for (const seed of [11, 12, 13, 15]) {
        const schema = hostileSchema(seed, "/nowhere");
        const writes = schema.tables.flatMap(({ writes }) => writes);
        for (const statement of [...schema.sql, ...writes, ...schema.later]) {
          await tenant.unsafe(statement).simple().catch(() => refused++);
        }
      }
      await tenant.end();
      const before = await called(admin);
      assert.ok(before.length > 4, `${before.length} functions, ${refused} statements refused`);
      const tables = await exported(url);
      assert.ok(tables.length > 4);
      assert.deepEqual(await called(admin), before);
    }));
}

/** A server with the tenant, and the role `postgres` that backs up and is not a superuser. */
async function withServer(
  version: number | undefined,
  use: (admin: postgres.Sql, url: string) => Promise<void>,
): Promise<void> {
  const run = async (binDir?: string) => {
    const cluster = await startCluster({ superuser: "supabase_admin", ...(binDir ? { binDir } : {}) });
    const admin = postgres(cluster.url(), { max: 1, onnotice: () => {} });
    try {
      await admin`create role postgres login bypassrls in role pg_read_all_data`;
      await admin.unsafe(WITNESSES).simple();
      await use(admin, cluster.url("postgres", "postgres"));
    } finally {
      await admin.end();
      await cluster.stop();
    }
  };
  await (version === undefined ? run() : withServerOf(version, run));
}

/** Does what a backup does with rows. Returns the tables by name, and which were cut. */
async function exported(url: string): Promise<{ name: string; cut: boolean }[]> {
  const session = await openSession(url);
  try {
    await beginSnapshot(session);
    const dump = await readDump(session, { lockTimeoutMs: 1000 });
    const estimates = await estimateTables(session, dump.data, SLICE_BYTES);
    const slices = planSlices(dump.data, estimates, { sliceBytes: SLICE_BYTES, headParts: 1 });
    const pieces = slices.flatMap(({ pieces }) => pieces);
    const deflater = new SegmentDeflater(1);
    for (const piece of pieces) await exportPiece(session, piece, deflater, async () => {});
    return dump.data.map(({ dumpId, schema, name }) => ({
      name: `${schema}.${name}`,
      cut: pieces.filter((piece) => piece.dumpId === dumpId).length > 1,
    })).sort((a, b) => a.name < b.name ? -1 : 1);
  } finally {
    await session.close();
  }
}

/** Reads what sequences have come to. */
async function sequenceValues(url: string): Promise<Map<number, { last: string; called: boolean }>> {
  const session = await openSession(url);
  try {
    await beginSnapshot(session);
    const [row] = await session.sql.unsafe(
      "select pg_catalog.current_setting('server_version_num')::int as version",
    );
    const catalog = { facts: { version: row!.version }, warnings: [], sequenceValues: new Map() };
    await readSequenceValues(session, catalog as unknown as Catalog);
    return catalog.sequenceValues;
  } finally {
    await session.close();
  }
}

/** Functions of the tenant's, and how often anybody has called them. */
async function called(admin: postgres.Sql): Promise<string[]> {
  await until("all sessions have told what they called", async () => {
    const others =
      await admin`select from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`;
    return others.length === 0 ? true : null;
  });
  const rows = await admin<{ name: string }[]>`
    select schemaname || '.' || funcname || ' ' || calls as name from pg_stat_user_functions
    where schemaname ~ '^(tenant|h[0-9]+)$' order by 1`;
  return rows.map(({ name }) => name);
}
