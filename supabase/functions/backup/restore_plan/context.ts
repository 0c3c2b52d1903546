/** The input of a plan: the archive, the target and the options, read beforehand. Nothing in it changes. */
import type { Roles } from "../catalog/roles.ts";
import type { Entry } from "../entry.ts";

/**
 * A Supabase project has a platform that owns objects of its own; any other PostgreSQL server takes
 * everything.
 */
export type Kind = "plain" | "supabase";

/** Facts about the target database. */
export interface TargetFacts {
  kind: Kind;
  database: string;
  /** `server_version_num`, and as the server prints it. */
  version: number;
  versionText: string;
  user: string;
  superuser: boolean;
  /**
   * A drill's own server: its roles and extensions exist already, and the restoring role is not a superuser.
   */
  scratch: boolean;
  mayCreateRoles: boolean;
  /** May fill tables as a replica does, which fires no triggers: superusers, and postgres in a project. */
  mayBeReplica: boolean;
  roles: ReadonlySet<string>;
  superusers: ReadonlySet<string>;
  /** Roles that may log in. */
  logins: ReadonlySet<string>;
  schemas: ReadonlySet<string>;
  tablespaces: ReadonlySet<string>;
  /** Installed extensions and the schema each is in. */
  extensions: ReadonlyMap<string, string>;
  /** Extensions that can be created here. */
  available: ReadonlySet<string>;
}

/** Tells which objects of an archive the target has already. */
export interface ExistingObjects {
  /** True when an object of the entry's kind and name is there. Kinds that are not asked about are not. */
  has(entry: Pick<Entry, "desc" | "namespace" | "tag">): boolean;
  /** True when there is a table of this name. */
  hasTable(schema: string, name: string): boolean;
}

export interface Wanted {
  /** `schema.table`, as they are, not quoted; all of them when both lists are empty. */
  tables: readonly string[];
  schemas: readonly string[];
  schemaOnly: boolean;
  dataOnly: boolean;
  /**
   * With what depends on them in the archive and is missing from the target: `drop … cascade` took it along.
   */
  withDependents?: boolean;
}

export interface Job {
  name: string | null;
  schedule: string;
  command: string;
  user: string;
  /** False for a job that was inactive in the source and should stay inactive. */
  active: boolean;
}

export interface VaultSecret {
  name: string | null;
  description: string | null;
}

export interface DefaultPrivilege {
  schema: string | null;
  /** pg_default_acl.defaclobjtype: tables, sequences, functions, types, schemas. */
  type: "r" | "S" | "f" | "T" | "n";
  /** "" is PUBLIC. */
  grantee: string;
  privilege: string;
  grantable: boolean;
  /** True for a privilege beyond PostgreSQL's own defaults, false for one of these that is revoked. */
  extra: boolean;
}

export interface Trigger {
  schema: string;
  table: string;
  name: string;
  /** `ENABLE ALWAYS` fires for replicas too. */
  always: boolean;
}

/** A table of the target. */
export interface ManagedTable {
  /** Types of the columns that can be written, by name. */
  columns: ReadonlyMap<string, string>;
  /** A trigger that fires for inserted rows. */
  trigger: string | null;
  /** It has foreign keys. */
  refers: boolean;
  /** The restoring role may insert into it. */
  insertable: boolean;
}

/** The target's row of backup.settings, by column. */
export type BackupSettings = Record<string, string | number | boolean | readonly string[] | null>;

export interface PlanOptions extends Wanted {
  clean: boolean;
  noOwner: boolean;
  /** Rows of storage.objects too, which are useless without the files. */
  withFiles: boolean;
  /** Resets the backup state of a copy; a drill leaves it to compare it. */
  settle: boolean;
}

export interface PlanContext {
  options: PlanOptions;
  /** All entries of the archive. */
  archive: readonly Entry[];
  /** Jobs of pg_cron and secrets of Vault, which are rows of the archive. */
  jobs: readonly Job[];
  secrets: readonly VaultSecret[];
  /** Of the archive, where it has them, and of the target. */
  roles: { wanted: Roles | null; there: Roles };
  /** Versions of extensions that the backup has, as far as it says, and that the target has or would create. */
  versions: { wanted: ReadonlyMap<string, string>; there: ReadonlyMap<string, string> };
  target: TargetFacts;
  existing: ExistingObjects;
  /** The target's own entries, read where something will be dropped; or why they could not be read. */
  targetEntries: readonly Entry[] | { unread: string };
  /** Triggers of the target that would fire. */
  triggers: readonly Trigger[];
  defaultPrivileges: readonly DefaultPrivilege[];
  /** By `schema.table`, of those that the archive has rows for. */
  managedTables: ReadonlyMap<string, ManagedTable>;
  /** Names of the secrets that the target's Vault has. */
  targetSecrets: ReadonlySet<string>;
  /** Rows by dump id, of entries of the platform's schemas. */
  rowCounts: ReadonlyMap<number, number>;
  /** By keyOfJob(). */
  targetJobs: ReadonlySet<string>;
  backupSettings: BackupSettings;
}

/** Returns whether everything was asked for, not some tables or schemas. */
export function isWhole({ tables, schemas }: Wanted): boolean {
  return tables.length + schemas.length === 0;
}
