/** What of an archive goes into another Supabase project: the user's own, and of the platform's schemas only what users put there. */
import { isManaged } from "../catalog/managed.ts";
import type { Entry } from "../toc/entry.ts";

/**
 * `restored`: as the archive has it · `rows`: rows for a table that the platform has made · `migrations`: of supabase_migrations,
 * which the CLI makes where it is missing · `webhook`: a trigger that calls a URL, to be switched on by a person · `left out`.
 */
export type Fate = "restored" | "rows" | "migrations" | "webhook" | "left out";

export interface Fated {
  entry: Entry;
  fate: Fate;
  /** Why it is left out; "" where every project has the same of its own, so that there is nothing to tell. */
  why: string;
}

/** Tables of the platform whose rows are the user's, in the order of their foreign keys. Sessions are not: people log in again. */
export const MANAGED_ROWS: readonly string[] = [
  "auth.users",
  "auth.identities",
  "auth.mfa_factors",
  "auth.sso_providers",
  "auth.sso_domains",
  "auth.saml_providers",
  "storage.buckets",
];

/** Rows that say of files what only their files make true: restored when asked for. */
export const FILE_ROWS = "storage.objects";

/** Where people may hang policies and triggers. */
const OPEN_SCHEMAS = new Set(["auth", "storage", "realtime"]);

/** Made by the platform in every project, and owned by it. */
const PLATFORM_ROLE =
  /^(pg_.*|supabase_.*|pgsodium_.*|pgbouncer|authenticator|anon|authenticated|service_role|dashboard_user)$/;

/** Publications that every project has. */
const PLATFORM_PUBLICATION = /^supabase_realtime/;

const HEADING = new Set(["ENCODING", "STDSTRINGS", "SEARCHPATH"]);
const FOLLOWERS = new Set(["COMMENT", "ACL", "SECURITY LABEL"]);

/** Each entry with its fate, in archive order. */
export function fatesInProject(entries: readonly Entry[]): Fated[] {
  const fates = new Map<number, Fate>();
  return entries.map((entry) => {
    const [fate, why] = FOLLOWERS.has(entry.desc) ? fateOfFollower(entry, fates) : fateOf(entry);
    fates.set(entry.dumpId, fate);
    return { entry, fate, why };
  });
}

/** True for a role that a project has from its first day; `postgres`, who owns what is the user's, is not meant. */
export function isPlatformRole(role: string): boolean {
  return PLATFORM_ROLE.test(role);
}

/** True for the trigger of a database webhook. */
export function isWebhook({ desc, definition }: Entry): boolean {
  return desc === "TRIGGER" &&
    /\bEXECUTE (FUNCTION|PROCEDURE) supabase_functions\.http_request\(/.test(definition ?? "");
}

const PLATFORM: [Fate, string] = ["left out", ""];
const RESTORED: [Fate, string] = ["restored", ""];

function fateOf(entry: Entry): [Fate, string] {
  const { desc, namespace, tag, owner, definition } = entry;
  if (HEADING.has(desc)) return RESTORED;
  if (namespace !== null && isManaged(namespace)) return fateInManagedSchema(entry);
  if (namespace === "pg_catalog") return ["left out", "it changes the server's own catalog"];
  if (isWebhook(entry)) return ["webhook", ""];
  const platformOwns = isPlatformRole(owner ?? "");
  switch (desc) {
    case "DATABASE":
      return PLATFORM;
    case "DATABASE PROPERTIES":
      return ["left out", "it is a setting of the database as a whole: set it again with alter database"];
    case "SCHEMA":
      if (tag === "public") return PLATFORM;
      if (tag === "supabase_migrations") return ["migrations", ""];
      return isManaged(tag) ? PLATFORM : RESTORED;
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

function fateInManagedSchema(entry: Entry): [Fate, string] {
  const { desc, namespace, tag, owner } = entry;
  if (namespace === "supabase_migrations") return ["migrations", ""];
  if (desc === "TABLE DATA") {
    const name = `${namespace}.${tag}`;
    return MANAGED_ROWS.includes(name) || name === FILE_ROWS ? ["rows", ""] : PLATFORM;
  }
  if (OPEN_SCHEMAS.has(namespace!)) {
    if (desc === "POLICY") return RESTORED;
    if (desc === "TRIGGER" && !callsPlatform(entry)) return isWebhook(entry) ? ["webhook", ""] : RESTORED;
  }
  return owner === null || owner === "" || isPlatformRole(owner) ? PLATFORM : [
    "left out",
    `it is yours in the platform's schema ${namespace}, where a new project lets nobody create anything`,
  ];
}

/** The platform's own triggers call functions of the platform's schemas. */
function callsPlatform({ definition }: Entry): boolean {
  const [, schema] = /\bEXECUTE (?:FUNCTION|PROCEDURE) (\w+)\./.exec(definition ?? "") ?? [];
  return schema !== undefined && isManaged(schema) && schema !== "supabase_functions";
}

/** Comments, labels and grants go where their object goes. */
function fateOfFollower({ tag, namespace, dependencies }: Entry, fates: Map<number, Fate>): [Fate, string] {
  if (namespace === "supabase_migrations") return ["migrations", ""];
  if (namespace !== null && (isManaged(namespace) || namespace === "pg_catalog")) return PLATFORM;
  // Only its owner may comment on an extension, and what it says is the extension's own.
  if (/^(EXTENSION|DATABASE|PUBLICATION supabase_realtime)\b/.test(tag)) return PLATFORM;
  if (tag === "SCHEMA public") return RESTORED;
  const [, schema] = /^SCHEMA (\w+)$/.exec(tag) ?? [];
  if (schema !== undefined && isManaged(schema)) return PLATFORM;
  const parents = dependencies.map((id) => fates.get(id)).filter((fate) => fate !== undefined);
  if (parents.length === 0) return ["left out", "it is about an object of an extension or of the server"];
  return [parents.find((fate) => fate !== "left out") ?? "left out", ""];
}
