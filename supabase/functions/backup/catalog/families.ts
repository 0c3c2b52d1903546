/** All families, in the order in which pg_dump reads them (common.c, getSchemaData). */
import { baseTypes } from "./base_types.ts";
import { compositeTypes } from "./composite_types.ts";
import { domains } from "./domains.ts";
import { enums } from "./enums.ts";
import { extensions } from "./extensions.ts";
import type { Family } from "./family.ts";
import { functions } from "./functions.ts";
import { ranges } from "./ranges.ts";
import { schemas } from "./schemas.ts";

export const FAMILIES: readonly Family[] = [
  extensions,
  schemas,
  functions,
  baseTypes,
  enums,
  domains,
  compositeTypes,
  ranges,
];
