/** All families, in the order in which pg_dump reads them (common.c, getSchemaData). */
import type { Family } from "./family.ts";
import { schemas } from "./schemas.ts";

export const FAMILIES: readonly Family[] = [
  schemas,
];
