/** By which a tenant tries to have code of its own run with the rights of others. */
import { type Table, TABLES, TYPES } from "./scene.ts";

export interface Vehicle {
  name: string;
  /** Run by the tenant, before or after its tables are tracked. */
  sql: string;
  /** Run in the sessions of the tenant and of all who may write. */
  session?: string;
  /**
   * In a statement of its own a user runs this code with PostgreSQL itself: where they read a table, or only where they
   * write to it.
   */
  fires?: "read" | "write";
  /** What then fails, and may. */
  refused?: RegExp;
}

const types = [...TYPES.map(({ name }) => `tenant.${name}`), ...TABLES.map(({ name }) => name)];
const each = (of: string[], statement: (type: string, n: number) => string) =>
  of.map(statement).join(";\n") + ";\n";

const onTables = (statement: (table: Table, n: number) => string) =>
  TABLES.map(statement).join(";\n") + ";\n";
const pure = `
  create function tenant.pure(integer) returns integer language plpgsql immutable as
    $$ begin perform tenant.evil(); return 1; end $$;
  create function tenant.impure() returns boolean language plpgsql as
    $$ begin perform tenant.evil(); return true; end $$;`;

/** Casts of each type; of domains the server takes none. */
const castable = types.filter((type) => !/string$|_domain$/.test(type));
const CASTS: Vehicle[] = ["", "as assignment", "as implicit"].map((context) => ({
  name: `casts ${context}`,
  sql: ["text", "integer"].map((other) =>
    each(castable, (type, n) => `
      create function tenant.to_${other}_${n}(${type}) returns ${other} language plpgsql as
        $$ begin perform tenant.evil(); return null; end $$;
      create cast (${type} as ${other}) with function tenant.to_${other}_${n}(${type}) ${context}`)
  ).join("") +
    each(castable, (type, n) => `
      create function tenant.from_text_${n}(text) returns ${type} language plpgsql as
        $$ begin perform tenant.evil(); return null; end $$;
      create cast (text as ${type}) with function tenant.from_text_${n}(text) ${context}`),
}));

const CATALOG_FUNCTIONS = [
  "concat",
  "format",
  "textin",
  "enum_out",
  "enum_eq",
  "record_out",
  "array_out",
  "range_out",
  "trim_scale",
  "to_jsonb",
];
const NAMES: Vehicle = {
  name: "operators and functions named like the catalog's, and a collation",
  sql: ["=", "<>", "<", "||"].map((operator, o) =>
    each(types, (type, n) => `
      create function tenant.compare_${o}_${n}(${type}, ${type}) returns boolean language plpgsql as
        $$ begin perform tenant.evil(); return false; end $$;
      create operator tenant.${operator} (leftarg = ${type}, rightarg = ${type}, function = tenant.compare_${o}_${n})`)
  ).join("") +
    CATALOG_FUNCTIONS.map((name) =>
      each(types, (type) => `
      create function tenant.${name}(${type}) returns text language plpgsql as
        $$ begin perform tenant.evil(); return null; end $$`)
    ).join("") +
    "create collation tenant.c (provider = icu, locale = 'und', deterministic = false);" +
    onTables(({ name }) => `alter table ${name} add c text collate tenant.c default 'C'`),
};

const SHADOWS = [
  "text",
  "json",
  "jsonb",
  "name",
  "oid",
  "regclass",
  "regproc",
  "uuid",
  "timestamptz",
  "_text",
];
const RELATIONS = [
  "records",
  "layouts",
  "tables",
  "settings",
  "new_rows",
  "old_rows",
  "pg_class",
  "pg_attribute",
  "pg_type",
];
const TEMPORARY: Vehicle = {
  name: "temporary domains and relations named like the catalog's and ours",
  sql: "",
  session: each(SHADOWS, (name) => `
      create function pg_temp.check_${name}(pg_catalog.${name}) returns pg_catalog.bool language plpgsql as
        $$ begin perform tenant.evil(); return true; end $$;
      create domain pg_temp.${name} as pg_catalog.${name} check (pg_temp.check_${name}(value))`) +
    each(RELATIONS, (name) => `
      create function pg_temp.read_${name}() returns pg_catalog.int4 language plpgsql as
        $$ begin perform tenant.evil(); return 1; end $$;
      create view pg_temp.${name} as select pg_temp.read_${name}() as id`),
};

const PATH: Vehicle = {
  name: "search_path",
  sql: pure +
    each(
      ["text", "json", "name", "oid"],
      (name) => `create domain tenant.${name} as pg_catalog.${name} check (tenant.impure())`,
    ) +
    each(
      ["records", "layouts", "new_rows", "old_rows"],
      (name) => `create view tenant.${name} as select tenant.impure()`,
    ),
  session: "set search_path = tenant, pg_catalog;",
};

const WRITTEN: Vehicle = {
  name: "triggers, rules and checks",
  fires: "write",
  sql: pure + `
    create function tenant.fire() returns trigger language plpgsql as
      $$ begin perform tenant.evil(); return coalesce(new, old); end $$;` +
    onTables(({ name }) => `
      create trigger a before insert or update or delete on ${name} for each row execute function tenant.fire();
      create trigger z after insert or update or delete or truncate on ${name} for each statement execute function tenant.fire();
      create rule r as on update to ${name} do also select tenant.impure();
      alter table ${name} add check (tenant.impure() and tenant.pure(1) = 1)`),
};

const POLICIES: Vehicle[] = ["enable", "enable row level security, force"].map((how) => ({
  name: `policies: ${how}`,
  fires: "read",
  sql: pure + onTables(({ name }) => `
      alter table ${name} ${how} row level security;
      create policy p on ${name} using (tenant.impure()) with check (tenant.impure())`),
}));

const VIEW: Vehicle = {
  name: "views in place of the tables",
  fires: "read",
  sql: pure + onTables(({ name }) => `
      alter table ${name} rename to ${name.split(".")[1]}_old;
      create view ${name} as select *, tenant.impure() from ${name}_old;
      grant all on ${name} to public`),
  refused: /"\w+" is not a table|duplicate key|trigger "versioning_|it is not a table|no history/,
};

/** These would run only because a history is kept or read. */
const COMPUTED: Vehicle[] = [{
  name: "defaults and generated columns",
  fires: "write",
  sql: pure + onTables(({ name }) => `
      alter table ${name} add d integer default tenant.pure(1), add g integer generated always as (tenant.pure(1)) stored`),
  refused:
    /^(owner|reader): .* as it was: role "(owner|reader)" would run function tenant\.pure\(integer\) of role "tenant"$/,
}, {
  name: "checks of domains",
  fires: "write",
  sql: pure +
    each(["string", "word_domain"], (name) => `alter domain tenant.${name} add check (tenant.impure())`),
  refused:
    /^(owner|reader): .* as it was: role "(owner|reader)" would run function tenant\.impure\(\) of role "tenant"$/,
}, {
  name: "casts to json",
  sql: each(castable, (type, n) => `
      create function tenant.to_json_${n}(${type}) returns json language plpgsql as
        $$ begin perform tenant.evil(); return null; end $$;
      create cast (${type} as json) with function tenant.to_json_${n}(${type})`),
  refused:
    /^(owner|reader): .* as it was: role "(owner|reader)" would run function tenant\.to_json_\d+\(tenant\..*\) of role "tenant"$/,
}];

const PLANNED: Vehicle = {
  name: "expressions of indexes and statistics",
  fires: "read",
  sql: pure + onTables(({ name }, n) => `
      create index on ${name} ((tenant.pure(1)), k) where tenant.pure(2) = 1;
      create statistics tenant.s_${n} on (tenant.pure(1)), (tenant.pure(2)) from ${name}`),
  refused:
    /^(owner: .* Cannot track|tenant: truncate .* Cannot truncate) table "tenant\.\w+": role "owner" would run function tenant.pure\(integer\) of role "tenant"$|duplicate key/,
};

const CRON: Vehicle = {
  name: "a schema cron",
  sql: pure + `
    create schema cron;
    grant usage on schema cron to public;
    create view cron.job as select 1::bigint as jobid, 'x'::text as jobname, 'owner'::name as username where tenant.impure();
    create function cron.schedule(text, text, text) returns bigint language plpgsql as $$ begin perform tenant.evil(); return 1; end $$;
    create function cron.unschedule(bigint) returns boolean language plpgsql as $$ begin perform tenant.evil(); return true; end $$;
    grant select on cron.job to public`,
};

export const VEHICLES: Vehicle[] = [
  ...COMPUTED,
  PLANNED,
  CRON,
  ...CASTS,
  NAMES,
  TEMPORARY,
  PATH,
  WRITTEN,
  ...POLICIES,
  VIEW,
];
