/**
 * Secrets of Vault: encrypted with a key that is not in the database, so that only their names can be taken
 * along. A restore in place leaves those that are there.
 */
import { isWhole } from "./context.ts";
import type { PlanStep } from "./plan_step.ts";
import { literal } from "./sql_text.ts";

export const listVaultSecrets: PlanStep = ({ target, options, secrets, targetSecrets }) => {
  if (target.kind !== "supabase" || options.schemaOnly || !isWhole(options)) return {};
  return {
    toDo: secrets.filter(({ name }) => name === null || !targetSecrets.has(name)).map(
      ({ name, description }) => {
        const text = description ? `, ${literal(description)}` : "";
        return {
          what: "enter this Vault secret again",
          sql: `select vault.create_secret('…', ${name ? literal(name) : "null"}${text})`,
        };
      },
    ),
  };
};
