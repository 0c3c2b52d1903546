/** Places in drills of the project itself at which their invocation is killed, in the order they come. */
import { LATER } from "./points.ts";
import type { Point } from "./scene.ts";

/**
 * A place behind a trigger of holds.sql: there the lock is taken, or a gate of the tables' own code is shut, and what
 * waits for it is killed.
 */
export interface PointBehind {
  behind: string;
  lock?: string;
  /** While a role of this name exists, public.gate() waits. */
  gate?: string;
  /** The statement whose session is found then, as ILIKE. */
  statement: string;
}

/** The first numbers are the head's. */
const PART = /^GET .*\/000(1[7-9]|[2-9]\d)\.dump/;

const waitingIn = (statement: string) => `
  select pid from pg_stat_activity
  where application_name like 'supabase-backup%' and query ilike '${statement}' and wait_event_type = 'Lock'`;

export const DRILL_POINTS: Record<string, Point | PointBehind> = {
  "before it has entered": { trigger: "restore_enter", then: "undo", afterwards: LATER },
  "after it has entered": { trigger: "restore_enter", then: "commit" },
  "before it begins": { trigger: "restore_begin", then: "undo" },
  "while it opens the backup": { request: /^GET .*\/manifest\.json/ },
  "before it creates the scratch database": {
    query: waitingIn("drop database%"),
    lock: "lock table pg_catalog.pg_database in share mode",
  },
  "while it creates the scratch database": {
    query: waitingIn("create database%"),
    lock: "comment on database template0 is 'held'",
  },
  "after the scratch database, before its record": { trigger: "drill_definitions", then: "undo" },
  "after the scratch database's record": { trigger: "drill_definitions", then: "commit" },
  "while it creates definitions": {
    behind: "drill_definitions",
    lock: "lock table pg_catalog.pg_shdepend in exclusive mode",
    statement: "%create%",
  },
  "after the definitions, before their record": { trigger: "drill_tables", then: "undo" },
  "after the definitions' record": { trigger: "drill_tables", then: "commit" },
  "while it reads rows": { request: PART },
  "while rows come in": { behind: "drill_tables", gate: "gate_rows", statement: "copy%guarded%" },
  "after the first rows, before their record": { trigger: "restore_rows", then: "undo" },
  "after the first rows' record": { trigger: "restore_rows", then: "commit" },
  "while it makes an index": {
    behind: "drill_tables",
    gate: "gate_index",
    statement: "%indexed_gate%",
  },
  "after a table, before its record": { trigger: "drill_table", then: "undo" },
  "after a table's record": { trigger: "drill_table", then: "commit" },
  "after rows, before it records that they are to be emptied": { trigger: "drill_empty", then: "undo" },
  "before tables are emptied": { trigger: "drill_empty", then: "commit" },
  "after the tables, before their record": { trigger: "drill_rest", then: "undo" },
  "after the tables' record": { trigger: "drill_rest", then: "commit" },
  "while it fills a materialized view": { behind: "drill_rest", gate: "gate_view", statement: "%refresh%" },
  "before it compares": { trigger: "drill_compare", then: "undo" },
  "after all is restored": { trigger: "drill_compare", then: "commit" },
  "while it tries further rows": {
    behind: "drill_compare",
    gate: "gate_further",
    statement: "%insert into%tried%",
  },
  "before the end is recorded": { trigger: "restore_end", then: "undo" },
  "after the end is recorded": { trigger: "restore_end", then: "commit" },
  "while it drops the scratch database": {
    behind: "restore_end",
    lock: "comment on database scratch_of_backup_drill is 'held'",
    statement: "%drop database%",
  },
  "before it leaves": { trigger: "restore_leave", then: "undo" },
};
