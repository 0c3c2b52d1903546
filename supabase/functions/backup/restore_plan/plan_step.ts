/** The plan, and what each of its steps returns. */
import type { Entry, Section } from "../entry.ts";
import type { Job, PlanContext } from "./context.ts";

/** SQL of the plan's own. */
export interface Statement {
  what: string;
  sql: string;
}

export interface Plan {
  /** Entries to restore, in this order, adapted to the target. */
  entries: readonly Entry[];
  /** Statements to run before and after them. */
  before: readonly Statement[];
  after: readonly Statement[];
  /** Everything was asked for, not some tables or schemas, rows or definitions. */
  whole: boolean;
  /** Owners and grants are as in the archive, not left out. */
  owners: boolean;
  /** Entries of the archive that the target will have as they are. */
  restored: readonly Entry[];
  /** Why objects of these entries differ from the backup on purpose, by dump id. */
  altered: ReadonlyMap<number, string>;
  /** Rows for tables of the platform. */
  rows: readonly Entry[];
  /** Rows and sequences of extensions' tables. */
  extensionRows: readonly Entry[];
  /** Triggers of webhooks, which are restored disabled. */
  webhooks: readonly Entry[];
  /** Objects of the target that depend on what is dropped, and are recreated as they are. */
  dependents: readonly Entry[];
  jobs: readonly Job[];
  /** Extensions that the target cannot have, and the entries that need them. */
  missing: { extensions: readonly string[]; entries: readonly Entry[] };
  /** Entries that only a superuser can create, and those that need them; a drill does not try them. */
  superuserOnly: readonly Entry[];
  newRoles: readonly string[];
  /**
   * Attributes, settings and memberships of roles. A role that may not change them leaves them out, with the statement.
   */
  roles: readonly Statement[];
  /** Roles of the platform that the target will not have. */
  unknownRoles: ReadonlySet<string>;
  leftOut: readonly { what: string; why: string }[];
  notes: readonly string[];
  /** For a person to run afterwards. */
  toDo: readonly Statement[];
  /** The largest dump id in use. */
  lastId: number;
}

/**
 * Returns what changes: `before`, `after`, `leftOut`, `notes`, `toDo` and `altered` are added to what is
 * there, anything else replaces it. Pure.
 */
export type PlanStep = (context: PlanContext, plan: Plan) => Partial<Plan>;

/** Returns statements as a list; none for "". */
export function statements(what: string, sql: string): Statement[] {
  return sql === "" ? [] : [{ what, sql }];
}

/**
 * Returns an entry that runs SQL of the plan's own. pg_restore runs the text of a kind that it does not know
 * as it is.
 */
export function sqlEntry(
  dumpId: number,
  tag: string,
  definition: string,
  section: Section,
  dependencies: number[] = [],
): Entry {
  return {
    dumpId,
    tableoid: 0,
    oid: 0,
    tag,
    desc: "SQL",
    section,
    definition,
    drop: null,
    copy: null,
    namespace: null,
    tablespace: null,
    tableam: null,
    owner: null,
    dependencies,
    hasData: false,
  };
}

/** Returns true for entries that set up the session, which come first. */
export function isHeading({ desc }: Entry): boolean {
  return desc === "ENCODING" || desc === "STDSTRINGS" || desc === "SEARCHPATH";
}
