/** Places in restores of the project itself at which their invocation is killed, in the order they come. */
import { LATER } from "./points.ts";
import type { Point } from "./scene.ts";

/** The first numbers are the head's. */
const PART = /^GET .*\/000(1[7-9]|[2-9]\d)\.dump/;

export const RESTORE_POINTS: Record<string, Point> = {
  "before it has entered": { trigger: "restore_enter", then: "undo", afterwards: LATER },
  "after it has entered": { trigger: "restore_enter", then: "commit" },
  "before it begins": { trigger: "restore_begin", then: "undo" },
  "while it opens the backup": { request: /^GET .*\/manifest\.json/ },
  "while it reads rows": { request: PART },
  "after the first rows, before their record": { trigger: "restore_rows", then: "undo" },
  "after the first rows' record": { trigger: "restore_rows", then: "commit" },
  "after the first table, before its record": { trigger: "restore_table", then: "undo" },
  "after the first table's record": { trigger: "restore_table", then: "commit" },
  "before the end is recorded": { trigger: "restore_end", then: "undo" },
  "after the end is recorded": { trigger: "restore_end", then: "commit" },
  "before it leaves": { trigger: "restore_leave", then: "undo" },
};
