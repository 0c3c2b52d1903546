/**
 * What of an archive goes into another Supabase project: the user's own, and of the platform's schemas only what users
 * put there.
 */
import { isManaged } from "../catalog/managed.ts";
import type { Entry } from "../entry.ts";

/**
 * `restored`: as the archive has it · `rows`: rows for a table that the platform has made · `migrations`: of
 * supabase_migrations, which the CLI makes where it is missing · `webhook`: a trigger that calls a URL, to be switched
 * on by a person · `left out`.
 */
export type Disposition = "restored" | "rows" | "migrations" | "webhook" | "left out";

export interface EntryDisposition {
  entry: Entry;
  disposition: Disposition;
  /** Why it is left out; "" where every project has the same of its own, so that there is nothing to tell. */
  why: string;
  /** It is in a schema of the platform. */
  ofPlatform: boolean;
}

/**
 * Tables of the platform whose rows each project makes anew: migrations, sessions and what is under way, logs. Rows of
 * all others are the user's. True stands for the whole schema.
 */
const MADE_ANEW: Record<string, true | RegExp> = {
  _analytics: true,
  _realtime: true,
  _supavisor: true,
  cron: true,
  graphql: true,
  graphql_public: true,
  net: true,
  pgbouncer: true,
  auth: new RegExp(
    "^(schema_migrations|audit_log_entries|sessions|refresh_tokens|flow_state|one_time_tokens|mfa_amr_claims|mfa_challenges|" +
      "saml_relay_states|oauth_authorizations|oauth_client_states|webauthn_challenges)$",
  ),
  realtime: /^(schema_migrations|subscription|messages(_.*)?)$/,
  storage: /^(migrations|s3_multipart_uploads(_parts)?)$/,
  supabase_functions: /^(migrations|hooks)$/,
};

/** Encrypted with a key that is not in the database. Secrets are named one by one. */
const ENCRYPTED: Record<string, string> = {
  "vault.secrets": "",
  "pgsodium.key": "they are encrypted with a key that is not in the database",
};

/** Rows that say of files what only their files make true: restored when asked for. */
const FILE_ROWS = new Set(["storage.objects", "storage.prefixes"]);

/** Returns whether these rows are useless without the files that they are about. */
export function isOfFiles({ namespace, tag }: Pick<Entry, "namespace" | "tag">): boolean {
  return FILE_ROWS.has(`${namespace}.${tag}`);
}

function dispositionOfManagedRows({ namespace, tag }: Entry): [Disposition, string] {
  const anew = MADE_ANEW[namespace!];
  if (anew === true || anew?.test(tag)) return PLATFORM;
  const encrypted = ENCRYPTED[`${namespace}.${tag}`];
  return encrypted === undefined ? ["rows", ""] : ["left out", encrypted];
}

/** Where people may hang policies and triggers. */
const OPEN_SCHEMAS = new Set(["auth", "storage", "realtime"]);

/** Made by the platform in every project, and owned by it. */
const PLATFORM_ROLE =
  /^(pg_.*|supabase_.*|pgsodium_.*|pgbouncer|authenticator|anon|authenticated|service_role|dashboard_user)$/;

/** Publications that every project has. */
const PLATFORM_PUBLICATION = /^supabase_realtime/;

const HEADING = new Set(["ENCODING", "STDSTRINGS", "SEARCHPATH"]);
const FOLLOWERS = new Set(["COMMENT", "ACL", "SECURITY LABEL"]);

/** Returns each entry with what becomes of it in a project, in archive order. */
export function classifyForProject(entries: readonly Entry[]): EntryDisposition[] {
  const dispositions = new Map<number, Disposition>();
  const schemas = schemasInProject(entries);
  return entries.map((entry) => {
    const [disposition, why] = FOLLOWERS.has(entry.desc)
      ? dispositionOfFollower(entry, dispositions, schemas)
      : dispositionOf(entry, schemas);
    dispositions.set(entry.dumpId, disposition);
    return { entry, disposition, why, ofPlatform: schemas.isPlatform(entry.namespace) };
  });
}

/**
 * Returns whether a project has this role from its first day; `postgres`, who owns what is the user's, is not meant.
 */
export function isPlatformRole(role: string): boolean {
  return PLATFORM_ROLE.test(role);
}

/** Returns whether a fresh project has this role, `postgres` as well. */
export function isInFreshProject(role: string): boolean {
  return role === "postgres" || isPlatformRole(role);
}

/** Returns whether it is the trigger of a database webhook. */
export function isWebhook({ desc, definition }: Entry): boolean {
  return desc === "TRIGGER" &&
    /\bEXECUTE (FUNCTION|PROCEDURE) supabase_functions\.http_request\(/.test(definition ?? "");
}

/** What "Enable automatic RLS" makes when a project is created: an event trigger, and its function in public. */
function isAutomaticRls({ desc, namespace, tag, definition }: Entry): boolean {
  if (desc === "FUNCTION") {
    return namespace === "public" && tag === "rls_auto_enable()" &&
      / RETURNS event_trigger\n/.test(definition ?? "");
  }
  return desc === "EVENT TRIGGER" && / EXECUTE FUNCTION public\.rls_auto_enable\(\);/.test(definition ?? "");
}

interface Schemas {
  /** Of the platform: those that are known, and those that are new and belong to a role of its own. */
  isPlatform: (schema: string | null) => boolean;
  /** Of these the ones that come back, each because an extension was made in it. */
  homes: ReadonlySet<string>;
  /** Dump ids of extensions that a new project does without. */
  outdated: ReadonlySet<number>;
}

/** Vault was built on it, until the platform took it out of new projects. */
const OUTDATED = "pgsodium";

/** Every project has these, whatever its extensions. */
const ALWAYS_THERE = new Set(["extensions", "vault"]);

function schemasInProject(entries: readonly Entry[]): Schemas {
  const owned = new Set(
    entries.filter(({ desc, owner }) =>
      desc === "SCHEMA" && isPlatformRole(owner ?? "") && !/^pg_/.test(owner!)
    )
      .map(({ tag }) => tag),
  );
  const isPlatform = (schema: string | null) => schema !== null && (isManaged(schema) || owned.has(schema));
  const byId = new Map(entries.map((entry) => [entry.dumpId, entry]));
  const all = entries.filter(({ desc }) => desc === "EXTENSION");
  const isUsed = (extension: Entry) =>
    entries.some(({ desc, namespace, dependencies }) =>
      dependencies.includes(extension.dumpId) && !FOLLOWERS.has(desc) && !isPlatform(namespace)
    );
  const outdated = all.filter((extension) => extension.tag === OUTDATED && !isUsed(extension));
  const homes = all.filter((extension) => !outdated.includes(extension))
    .flatMap(({ dependencies }) => dependencies.map((id) => byId.get(id)))
    .flatMap((entry) => entry?.desc === "SCHEMA" && isPlatform(entry.tag) ? [entry.tag] : []);
  return {
    isPlatform,
    homes: new Set(homes.filter((schema) => !ALWAYS_THERE.has(schema))),
    outdated: new Set(outdated.map(({ dumpId }) => dumpId)),
  };
}

const PLATFORM: [Disposition, string] = ["left out", ""];
const RESTORED: [Disposition, string] = ["restored", ""];

function dispositionOf(entry: Entry, schemas: Schemas): [Disposition, string] {
  const { isPlatform, homes, outdated } = schemas;
  const { desc, namespace, tag, owner, definition } = entry;
  if (HEADING.has(desc)) return RESTORED;
  if (isPlatform(namespace)) return dispositionInManagedSchema(entry, schemas);
  if (namespace === "pg_catalog") return ["left out", "it changes the server's own catalog"];
  if (isWebhook(entry)) return ["webhook", ""];
  if (isAutomaticRls(entry)) return ["left out", "the platform makes it where automatic RLS is enabled"];
  const platformOwns = isPlatformRole(owner ?? "");
  switch (desc) {
    case "DATABASE":
      return PLATFORM;
    case "DATABASE PROPERTIES":
      return ["left out", "it is a setting of the database as a whole: set it again with alter database"];
    case "SCHEMA":
      if (tag === "public") return PLATFORM;
      if (tag === "supabase_migrations") return ["migrations", ""];
      return isPlatform(tag) && !homes.has(tag) ? PLATFORM : RESTORED;
    case "EXTENSION":
      return outdated.has(entry.dumpId)
        ? ["left out", "only Vault used it, which no longer needs it in a new project"]
        : RESTORED;
    case "PUBLICATION":
      if (PLATFORM_PUBLICATION.test(tag)) return PLATFORM;
      return / FOR ALL TABLES/.test(definition ?? "")
        ? ["left out", "a publication for all tables takes a superuser"]
        : RESTORED;
    case "SUBSCRIPTION":
      return ["left out", "it takes the publisher, its password and a superuser"];
    case "DEFAULT ACL":
    case "EVENT TRIGGER":
    case "FOREIGN DATA WRAPPER":
    case "SERVER":
    case "USER MAPPING":
      return platformOwns ? PLATFORM : RESTORED;
    default:
      return RESTORED;
  }
}

function dispositionInManagedSchema(entry: Entry, { homes, isPlatform }: Schemas): [Disposition, string] {
  const { desc, namespace, owner } = entry;
  if (namespace === "supabase_migrations") return ["migrations", ""];
  if (desc === "TABLE DATA") return homes.has(namespace!) ? RESTORED : dispositionOfManagedRows(entry);
  if (OPEN_SCHEMAS.has(namespace!)) {
    if (desc === "POLICY") return RESTORED;
    if (desc === "TRIGGER" && !callsPlatform(entry, isPlatform)) {
      return isWebhook(entry) ? ["webhook", ""] : RESTORED;
    }
  }
  if (owner === null || owner === "" || isPlatformRole(owner)) return PLATFORM;
  return homes.has(namespace!) ? RESTORED : [
    "left out",
    `it is yours in the platform's schema ${namespace}, where a new project lets nobody create anything`,
  ];
}

/** The platform's own triggers call functions of the platform's schemas. */
function callsPlatform({ definition }: Entry, isPlatform: Schemas["isPlatform"]): boolean {
  const [, schema] = /\bEXECUTE (?:FUNCTION|PROCEDURE) (\w+)\./.exec(definition ?? "") ?? [];
  return schema !== undefined && isPlatform(schema) && schema !== "supabase_functions";
}

/** Comments, labels and grants go where their object goes. */
function dispositionOfFollower(
  { tag, namespace, dependencies }: Entry,
  dispositions: Map<number, Disposition>,
  { homes, isPlatform }: Schemas,
): [Disposition, string] {
  if (namespace === "supabase_migrations") return ["migrations", ""];
  if (isPlatform(namespace) || namespace === "pg_catalog") return PLATFORM;
  // Only its owner may comment on an extension, and what it says is the extension's own.
  if (/^(EXTENSION|DATABASE|PUBLICATION supabase_realtime)\b/.test(tag)) return PLATFORM;
  if (tag === "SCHEMA public") return RESTORED;
  const [, schema] = /^SCHEMA (\w+)$/.exec(tag) ?? [];
  if (schema !== undefined && isPlatform(schema) && !homes.has(schema)) return PLATFORM;
  const parents = dependencies.map((id) => dispositions.get(id)).filter((disposition) =>
    disposition !== undefined
  );
  if (parents.length === 0) return ["left out", "it is about an object of an extension or of the server"];
  return [parents.find((disposition) => disposition !== "left out") ?? "left out", ""];
}
