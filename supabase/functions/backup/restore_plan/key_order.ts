/** Rows for existing tables come in the order of their foreign keys. */
import { inOrderOfKeys } from "../restore_guide/key_order.ts";
import type { PlanStep } from "./plan_step.ts";

export const orderByKeys: PlanStep = ({ archive, options }, { entries }) =>
  options.dataOnly ? { entries: inOrderOfKeys(entries, archive) } : {};
