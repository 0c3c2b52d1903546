/**
 * Every column of the system catalogs is read for a dump, or stands below with the reason why not. What a new version
 * of the server brings is in neither list, and red until somebody has looked at it.
 */
import assert from "node:assert/strict";
import { type Cluster, startCluster } from "../../stack/postgres/cluster.ts";
import { grantCommands } from "../../supabase/functions/backup/catalog/acl.ts";
import { Catalog } from "../../supabase/functions/backup/catalog/catalog.ts";
import { openSession, type Session } from "../../supabase/functions/backup/postgres/session.ts";
import { beginSnapshot } from "../../supabase/functions/backup/postgres/snapshot.ts";
import { readDump } from "../../supabase/functions/backup/toc/dump.ts";
import { OTHER_VERSIONS, withServerOf } from "./versions.ts";

/** Columns by the reason; the name of a catalog stands for all columns of it. */
const NOT_READ = {
  "is the server's, not the database's":
    `pg_authid pg_auth_members pg_parameter_acl pg_replication_origin pg_tablespace
    datallowconn dathasloginevt`,
  "is read through a view or a function": `pg_largeobject pg_partitioned_table pg_rewrite pg_shdescription
    pg_user_mapping stxkeys stxkind`,
  "is printed by pg_get_constraintdef()":
    `confupdtype confdeltype confmatchtype confkey conpfeqop conppeqop conffeqop
    confdelsetcols conexclop conbin conenforced conkey connoinherit`,
  "is printed by pg_get_indexdef()":
    `indisunique indisprimary indisexclusion indimmediate indcollation indclass
    indoption indnatts`,
  "is printed by pg_get_triggerdef()": `tgfoid tgtype tgconstrrelid tgconstrindid tgconstraint tgdeferrable
    tginitdeferred tgnargs tgattr tgargs tgqual tgoldtable tgnewtable`,
  "is printed by functions about functions":
    `provariadic pronargdefaults prorettype proallargtypes proargmodes
    proargnames proargdefaults prosqlbody aggnumdirectargs`,
  "follows from other columns":
    `pg_shdepend amoppurpose amopmethod oprresult reltype relnatts relhasindex relchecks relhasrules
    relhastriggers relhassubclass attlen attbyval attalign attinhcount coninhcount privtype relisshared`,
  "is about these files, statistics and transactions":
    `pg_statistic pg_statistic_ext_data relpages relallvisible
    relallfrozen relfilenode relrewrite relfrozenxid relminmxid datfrozenxid datminmxid attcacheoff atthasmissing
    attmissingval indcheckxmin indislive inhdetachpending`,
  "is how far this database's replication has come": "pg_subscription_rel subskiplsn subenabled",
  "is what the target has": "collversion datcollversion extowner extrelocatable extversion",
  "means nothing to the server": "attndims typndims",
};

/** Types of objects as acldefault() and as GRANT have them. */
const GRANTED = {
  r: "TABLE",
  s: "SEQUENCE",
  d: "DATABASE",
  f: "FUNCTION",
  l: "LANGUAGE",
  L: "LARGE OBJECT",
  n: "SCHEMA",
  F: "FOREIGN DATA WRAPPER",
  S: "FOREIGN SERVER",
  T: "TYPE",
};

for (const version of ["of all tests", ...OTHER_VERSIONS]) {
  Deno.test(`server ${version}: all columns of the catalogs and all privileges are known`, async () => {
    const check = async (binDir?: string) => {
      const cluster = await startCluster(binDir === undefined ? {} : { binDir });
      try {
        await checkServer(cluster);
      } finally {
        await cluster.stop();
      }
    };
    await (typeof version === "number" ? withServerOf(version, check) : check());
  });
}

async function checkServer(cluster: Cluster): Promise<void> {
  const session = await openSession(cluster.url());
  try {
    const queries: string[] = [];
    await beginSnapshot(session);
    const { serverVersionNum } = await readDump(recorded(session, queries), { lockTimeoutMs: 1000 });
    assert.deepEqual(await forgottenColumns(session, queries.join("\n")), []);
    assert.deepEqual(await unknownPrivileges(session, serverVersionNum), []);
  } finally {
    await session.close();
  }
}

/** The same session, which notes what it is asked. */
function recorded(session: Session, queries: string[]): Session {
  const sql = new Proxy(session.sql, {
    get(target, name) {
      if (name !== "unsafe") return Reflect.get(target, name);
      return (query: string, ...rest: []) => {
        queries.push(query);
        return target.unsafe(query, ...rest);
      };
    },
  });
  return Object.create(session, { sql: { value: sql } });
}

async function forgottenColumns({ sql }: Session, queries: string): Promise<string[]> {
  const columns = await sql.unsafe<{ catalog: string; name: string }[]>(`
    select c.relname as catalog, a.attname as name
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = 'pg_catalog'::regnamespace and c.relkind = 'r' and a.attnum > 0
    order by c.relname, a.attnum`);
  const known = new Set([queries, ...Object.values(NOT_READ)].flatMap((text) => text.match(/\w+/g) ?? []));
  // Queries may name a catalog for a few of its columns only.
  const notRead = new Set(Object.values(NOT_READ).flatMap((text) => text.match(/\w+/g) ?? []));
  return columns.filter(({ catalog, name }) => !known.has(name) && !notRead.has(catalog))
    .map(({ catalog, name }) => `${catalog}.${name}`);
}

/** A code without a word would be left out of GRANT. */
async function unknownPrivileges({ sql }: Session, version: number): Promise<string[]> {
  const catalog = new Catalog({ version, reserved: new Set(), superuser: true });
  const codes = await sql.unsafe<{ type: keyof typeof GRANTED; code: string }[]>(`
    select distinct type, code
    from unnest('{${Object.keys(GRANTED).join()}}'::"char"[]) type, unnest(acldefault(type, 10)) item,
      regexp_split_to_table(substring(item::text from '=(\\w*)/'), '') code`);
  assert.ok(codes.length > 20);
  return codes.filter(({ type, code }) =>
    grantCommands(catalog, {
      type: GRANTED[type],
      name: "x",
      items: [`somebody=${code}/boss`],
      base: [],
      owner: "boss",
    }) === ""
  ).map(({ type, code }) => `${type}: ${code}`);
}
