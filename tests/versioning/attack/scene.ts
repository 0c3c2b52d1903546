/** A database with tracked tables of a tenant, who is an ordinary role, and sessions of those who meet there. */
import postgres from "postgres";
import { startCluster } from "../../../stack/postgres/cluster.ts";

/** Types that a tenant can make, each with two values. A base type only a superuser makes. */
export const TYPES: { name: string; create: string; values: [string, string] }[] = [
  { name: "word", create: "create type tenant.word as enum ('a', 'b')", values: ["a", "b"] },
  { name: "pair", create: "create type tenant.pair as (x text, y text)", values: ["(a,)", "(b,)"] },
  { name: "span", create: "create type tenant.span as range (subtype = text)", values: ["[a,b)", "[b,c)"] },
  { name: "span_multirange", create: "", values: ["{[a,b)}", "{[b,c)}"] },
  { name: "string", create: "create domain tenant.string as text", values: ["a", "b"] },
  { name: "word_domain", create: "create domain tenant.word_domain as tenant.word", values: ["a", "b"] },
  { name: "word[]", create: "", values: ["{a}", "{b}"] },
  { name: "pair[]", create: "", values: ['{"(a,)"}', '{"(b,)"}'] },
  { name: "span[]", create: "", values: ['{"[a,b)"}', '{"[b,c)"}'] },
];

export interface Table {
  name: string;
  columns: string;
  /** A row of the first values. */
  row: string;
  /** What an update sets to the second values. */
  change: string;
}

const columns = TYPES.map(({ name }, n) => `c${n} tenant.${name}`).join(", ");
const values = (place: 0 | 1) => TYPES.map(({ values }) => `'${values[place]}'`).join(", ");
const change = TYPES.map(({ values }, n) => `c${n} = '${values[1]}'`).join(", ");

/** Tables with one type as the key, with all as parts of it, and with all as other columns. */
export const TABLES: Table[] = [
  ...["word", "pair", "word_domain", "word[]"].map((name, n) => {
    const { values } = TYPES.find((type) => type.name === name)!;
    return {
      name: `tenant.key_${n}`,
      columns: `k tenant.${name} primary key, note text`,
      row: `('${values[0]}', 'x')`,
      change: `k = '${values[1]}'`,
    };
  }),
  {
    name: "tenant.parts",
    columns: `k numeric, ${columns}, note text, primary key (k, ${TYPES.map((_, n) => `c${n}`).join(", ")})`,
    row: `(1.0, ${values(0)}, 'x')`,
    change: `k = 2.0, ${change}`,
  },
  {
    name: "tenant.wide",
    columns: `k integer primary key, ${columns}, note text`,
    row: `(1, ${values(0)}, 'x')`,
    change,
  },
];

/** `owner` owns versioning, as `postgres` does; the others have no rights but those on the tenant's tables. */
export const ROLES = ["owner", "tenant", "writer", "editor", "reader"] as const;
export type Role = typeof ROLES[number];

export interface Scene {
  superuser: postgres.Sql;
  /** The session of a role. */
  as(role: Role): postgres.Sql;
  /** Drops all of the tenant's, and makes it again. */
  renew(): Promise<void>;
  /** Roles with whose rights the tenant's code ran since the last call; the tenant itself left out. */
  witnesses(): Promise<string[]>;
  stop(): Promise<void>;
}

/**
 * A lock of a session outlives the statement that takes it, also where this fails, and a function that may not write
 * takes it too.
 */
const WITNESS = 20261201;

export async function openScene(migration: string, binDir?: string): Promise<Scene> {
  const cluster = await startCluster({ superuser: "supabase_admin", ...(binDir && { binDir }) });
  const open = (user: string) =>
    postgres(cluster.url("postgres", user), {
      max: 1,
      onnotice: () => {},
      types: { bigint: postgres.BigInt },
    });
  const superuser = open("supabase_admin");
  let sessions: Partial<Record<Role, postgres.Sql>> = {};
  const as = (role: Role) => sessions[role] ??= open(role);
  const close = async () => {
    await Promise.all(Object.values(sessions).map((session) => session.end()));
    sessions = {};
  };
  await superuser.unsafe(`
    create role anon nologin; create role authenticated nologin; create role service_role nologin bypassrls;
    create role owner login bypassrls createrole;
    grant anon, authenticated, service_role to owner;
    ${ROLES.slice(1).map((role) => `create role ${role} login; grant authenticated to ${role};`).join("\n")}
    grant create on database postgres to owner, tenant;
  `).simple();
  await as("owner").unsafe(migration).simple();
  return {
    superuser,
    as,
    async renew() {
      // Those that may have temporary objects.
      for (const role of ["tenant", "writer", "editor"] as const) {
        await sessions[role]?.end();
        delete sessions[role];
      }
      await superuser.unsafe(`
        drop schema if exists tenant, cron cascade;
        create schema tenant authorization tenant;
        grant usage on schema tenant to public;
        truncate versioning.records, versioning.layouts, versioning.tables restart identity;
      `).simple();
      await as("tenant").unsafe(`
        create function tenant.evil() returns void language plpgsql as $$
        begin
          if current_user <> 'tenant' then
            perform pg_catalog.pg_advisory_lock_shared(${WITNESS}, current_user::pg_catalog.regrole::pg_catalog.oid::pg_catalog.int4);
          end if;
        end;
        $$;
        ${TYPES.map(({ create }) => create).join(";")};
      `).simple();
      await as("tenant").unsafe(
        TABLES.map(({ name, columns }) => `
          create table ${name} (${columns});
          grant all on ${name} to owner, editor;
          grant select, update on ${name} to writer;
          grant select on ${name} to reader;`).join(""),
      ).simple();
    },
    async witnesses() {
      const found = await superuser`
        select distinct l.objid::regrole::text as role from pg_locks l
        where l.locktype = 'advisory' and l.classid = ${WITNESS} order by 1`;
      await Promise.all(Object.values(sessions).map((session) => session`select pg_advisory_unlock_all()`));
      return found.map(({ role }) => role);
    },
    async stop() {
      await close();
      await superuser.end();
      await cluster.stop();
    },
  };
}
