/** Roles: attributes, settings and memberships that the target lacks. */
import type { Roles } from "../catalog/roles.ts";
import { roleStatements } from "../restore_guide/roles_sql.ts";
import type { Plan } from "../restore_plan/plan_step.ts";
import type { Check } from "./check.ts";

const NAMED = 5;

/** What the plan did not try is skipped: a drill leaves roles alone, and some things are for a person to do. */
export function compareRoles(wanted: Roles | null, there: Roles, plan: Plan): Check[] {
  if (!plan.whole || !plan.owners || wanted === null) return [];
  const what = "roles: attributes, settings, memberships";
  const tried = new Set(plan.roles.map(({ what }) => what));
  const missing = roleStatements(wanted, there, 0).map(({ what }) => `role ${what}`);
  const listed = (outcome: Check["outcome"], found: string[]): Check[] => {
    if (found.length === 0) return [];
    const more = found.length > NAMED ? `; and ${found.length - NAMED} more` : "";
    return [{ what, outcome, detail: found.slice(0, NAMED).join("; ") + more }];
  };
  const checks = [
    ...listed("failed", missing.filter((what) => tried.has(what))),
    ...listed("skipped", missing.filter((what) => !tried.has(what))),
  ];
  return checks.length > 0 ? checks : [{ what, outcome: "passed", detail: `${wanted.roles.length} roles` }];
}
