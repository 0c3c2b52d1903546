/** A plan is made of what was read, and of nothing else: pure steps, in order. */
import assert from "node:assert/strict";
import { entryOf } from "../../doubles/entry.ts";
import type { PlanContext, TargetFacts } from "../../../supabase/functions/backup/restore_plan/context.ts";
import { planRestore } from "../../../supabase/functions/backup/restore_plan/plan.ts";
import type { Entry } from "../../../supabase/functions/backup/entry.ts";

const TARGET: TargetFacts = {
  kind: "plain",
  database: "restored",
  version: 150008,
  versionText: "15.8",
  user: "owner",
  superuser: true,
  scratch: false,
  mayCreateRoles: true,
  mayBeReplica: true,
  roles: new Set(["owner"]),
  superusers: new Set(["owner"]),
  logins: new Set(["owner"]),
  schemas: new Set(["public"]),
  tablespaces: new Set(),
  extensions: new Map(),
  available: new Set(),
};

const SCRATCH: TargetFacts = {
  ...TARGET,
  user: "restorer",
  superuser: false,
  scratch: true,
  roles: new Set(["admin", "restorer", "anna", "pg_monitor"]),
  superusers: new Set(["admin"]),
};

function contextOf(archive: Entry[], more: Partial<PlanContext> = {}): PlanContext {
  return {
    options: {
      tables: [],
      schemas: [],
      schemaOnly: false,
      dataOnly: false,
      clean: false,
      noOwner: false,
      withFiles: false,
      settle: true,
    },
    archive,
    jobs: [],
    secrets: [],
    target: TARGET,
    targetEntries: [],
    triggers: [],
    defaultPrivileges: [],
    existing: { has: () => false, hasTable: () => false },
    managedTables: new Map(),
    versions: { wanted: new Map(), there: new Map() },
    roles: { wanted: null, there: { roles: [], members: [] } },
    rowCounts: new Map(),
    targetSecrets: new Set(),
    targetJobs: new Set(),
    backupSettings: {},
    ...more,
  };
}

function entry(fields: Partial<Entry> & Pick<Entry, "dumpId" | "desc" | "tag">): Entry {
  return entryOf({ definition: "", drop: `DROP ${fields.desc};\n`, owner: "anna", ...fields });
}

/** Freezes it all: a step that changes what it was given throws. */
function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) frozen(member);
  }
  return value;
}

const TABLE = entry({
  dumpId: 2,
  desc: "TABLE",
  tag: "plays",
  definition: "CREATE TABLE public.plays ();\n",
});
const DATA = entry({
  dumpId: 3,
  desc: "TABLE DATA",
  tag: "plays",
  section: "data",
  hasData: true,
  dependencies: [2],
  copy: "COPY public.plays (id) FROM stdin;\n",
});
const ACL = entry({
  dumpId: 4,
  desc: "ACL",
  tag: "TABLE plays",
  dependencies: [2],
  definition:
    "GRANT SELECT ON TABLE public.plays TO bea WITH GRANT OPTION;\nSET SESSION AUTHORIZATION bea;\n" +
    "GRANT SELECT ON TABLE public.plays TO carl;\nRESET SESSION AUTHORIZATION;\n",
});

Deno.test("planRestore() changes nothing that it was given, and answers the same again", () => {
  const context = contextOf([TABLE, DATA, ACL]);
  const first = planRestore(frozen(context));
  assert.deepEqual(planRestore(context), first);
  assert.deepEqual(first.restored.map(({ dumpId }) => dumpId), [2, 3, 4]);
  assert.deepEqual(first.newRoles, ["anna", "bea", "carl"]);
  assert.match(first.before.map(({ sql }) => sql).join(""), /^CREATE ROLE "anna" NOLOGIN;\n/);
  assert.deepEqual([...first.altered], []);
});

Deno.test("planRestore() has the owners' roles give what they gave, where nothing restores as a superuser", () => {
  const { entries, after } = planRestore(contextOf([TABLE, ACL], { target: SCRATCH }));
  assert.deepEqual(entries.map(({ owner }) => owner), [null, null]);
  assert.equal(
    entries[1]!.definition,
    'SET ROLE "anna";\nGRANT SELECT ON TABLE public.plays TO bea WITH GRANT OPTION;\nSET ROLE bea;\n' +
      'GRANT SELECT ON TABLE public.plays TO carl;\nSET ROLE "anna";\nRESET ROLE;\n',
  );
  assert.match(after.map(({ sql }) => sql).join(""), /ALTER TABLE "public"."plays" OWNER TO "anna";/);
});

Deno.test("planRestore() creates the schema public where the target has lost it, and brings its extensions back", () => {
  const trgm = entry({
    dumpId: 5,
    desc: "EXTENSION",
    tag: "pg_trgm",
    namespace: null,
    definition: "CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;\n",
  });
  const elsewhere = entry({
    dumpId: 6,
    desc: "EXTENSION",
    tag: "citext",
    namespace: null,
    definition: "CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA extensions;\n",
  });
  const more = {
    target: { ...TARGET, schemas: new Set<string>(), available: new Set(["pg_trgm", "citext"]) },
  };
  const context = contextOf([trgm, elsewhere, TABLE, DATA], more);
  const part = planRestore({ ...context, options: { ...context.options, schemas: ["public"] } });
  assert.deepEqual(part.restored.map(({ dumpId }) => dumpId), [5, 2, 3]);
  assert.equal(
    part.before.find(({ what }) => what === "schema public")!.sql,
    "CREATE SCHEMA public;\nGRANT USAGE ON SCHEMA public TO PUBLIC;\n" +
      "COMMENT ON SCHEMA public IS 'standard public schema';\nALTER SCHEMA public OWNER TO pg_database_owner;\n",
  );
  assert.match(part.notes.join(), /no schema public/);
  assert.equal(planRestore(contextOf([TABLE])).before.some(({ what }) => what === "schema public"), false);
});

Deno.test("planRestore() lets the owner of a project have event triggers, and asks for no secret that is there", () => {
  const trigger = entry({
    dumpId: 7,
    desc: "EVENT TRIGGER",
    tag: "mine",
    namespace: null,
    owner: "postgres",
  });
  const project = { ...TARGET, kind: "supabase" as const, user: "postgres", superuser: false };
  const secrets = [{ name: "there", description: null }, { name: "gone", description: null }];
  const { altered, toDo } = planRestore(
    contextOf([trigger], { target: project, secrets, targetSecrets: new Set(["there"]) }),
  );
  assert.deepEqual([...altered], []);
  assert.deepEqual(toDo.map(({ sql }) => sql), ["select vault.create_secret('…', 'gone')"]);
});

Deno.test("planRestore() leaves to nobody what takes a superuser, with all that needs it", () => {
  const archive = [
    entry({
      dumpId: 10,
      desc: "FUNCTION",
      tag: "safe()",
      definition: "CREATE FUNCTION public.safe() RETURNS integer\n    LANGUAGE sql\n    AS $$select 1$$;\n",
    }),
    entry({
      dumpId: 11,
      desc: "FUNCTION",
      tag: "native()",
      definition: "CREATE FUNCTION public.native() RETURNS integer\n    LANGUAGE c\n    AS 'x', 'y';\n",
    }),
    entry({
      dumpId: 12,
      desc: "FUNCTION",
      tag: "py()",
      definition: "CREATE FUNCTION public.py() RETURNS integer\n    LANGUAGE plpython3u\n    AS $$1$$;\n",
    }),
    entry({
      dumpId: 13,
      desc: "TYPE",
      tag: "base",
      definition: "CREATE TYPE public.base (\n    INTERNALLENGTH = 16,\n    INPUT = public.i\n);\n",
    }),
    entry({ dumpId: 14, desc: "TABLE", tag: "of_base", dependencies: [13] }),
    entry({ dumpId: 15, desc: "EVENT TRIGGER", tag: "watch", namespace: null, section: "post-data" }),
    entry({
      dumpId: 16,
      desc: "CAST",
      tag: "CAST (a AS b)",
      definition: "CREATE CAST (public.a AS public.b) WITHOUT FUNCTION;\n",
    }),
    entry({ dumpId: 17, desc: "ACL", tag: "FUNCTION pg_reload_conf()", namespace: "pg_catalog" }),
    entry({
      dumpId: 18,
      desc: "PUBLICATION",
      tag: "all",
      namespace: null,
      definition: "CREATE PUBLICATION all FOR ALL TABLES;\n",
    }),
    entry({ dumpId: 19, desc: "FOREIGN DATA WRAPPER", tag: "wrapper", namespace: null }),
    entry({ dumpId: 20, desc: "SERVER", tag: "far", namespace: null, dependencies: [19] }),
    // As pg_dump writes it: nothing but its name tells of the server.
    entry({ dumpId: 21, desc: "USER MAPPING", tag: "USER MAPPING u SERVER far", namespace: null }),
  ];
  const scratch = planRestore(contextOf(archive, { target: SCRATCH }));
  assert.deepEqual(scratch.restored.map(({ dumpId }) => dumpId), [10]);
  assert.deepEqual(scratch.superuserOnly.map(({ dumpId }) => dumpId), [
    11,
    12,
    13,
    14,
    15,
    16,
    17,
    18,
    19,
    20,
    21,
  ]);
  assert.deepEqual(planRestore(contextOf(archive)).superuserOnly, [], "a superuser tries all of it");
});

Deno.test("planRestore() leaves out rows and grants of a missing extension, also in a schema that is an entry", () => {
  const archive = [
    entry({
      dumpId: 20,
      desc: "SCHEMA",
      tag: "vault",
      namespace: null,
      definition: "CREATE SCHEMA vault;\n",
    }),
    entry({
      dumpId: 21,
      desc: "EXTENSION",
      tag: "supabase_vault",
      namespace: null,
      dependencies: [20],
      definition: "CREATE EXTENSION IF NOT EXISTS supabase_vault WITH SCHEMA vault;\n",
    }),
    entry({
      dumpId: 22,
      desc: "TABLE DATA",
      tag: "secrets",
      namespace: "vault",
      section: "data",
      hasData: true,
      copy: "COPY vault.secrets (id) FROM stdin;\n",
    }),
    entry({
      dumpId: 23,
      desc: "ACL",
      tag: "FUNCTION vector_in(cstring)",
      namespace: "public",
      dependencies: [99],
    }),
  ];
  const { missing, restored } = planRestore(contextOf(archive, { target: SCRATCH }));
  assert.deepEqual(missing.extensions, ["supabase_vault"]);
  assert.deepEqual(missing.entries.map(({ dumpId }) => dumpId), [21, 22, 23]);
  assert.deepEqual(restored.map(({ dumpId }) => dumpId), [20]);
});
