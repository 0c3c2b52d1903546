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
import { tables } from "./tables.ts";
import { accessMethods } from "./access_methods.ts";
import { aggregates } from "./aggregates.ts";
import { casts } from "./casts.ts";
import { collations } from "./collations.ts";
import { conversions } from "./conversions.ts";
import { foreignDataWrappers, foreignServers } from "./foreign_data.ts";
import { languages } from "./languages.ts";
import { operatorClasses, operatorFamilies } from "./operator_classes.ts";
import { operators } from "./operators.ts";
import { statistics } from "./statistics.ts";
import { subscriptions } from "./subscriptions.ts";
import {
  textSearchConfigurations,
  textSearchDictionaries,
  textSearchParsers,
  textSearchTemplates,
} from "./text_search.ts";
import { transforms } from "./transforms.ts";

export const FAMILIES: readonly Family[] = [
  extensions,
  schemas,
  tables,
  functions,
  baseTypes,
  enums,
  domains,
  compositeTypes,
  ranges,
  languages,
  aggregates,
  operators,
  accessMethods,
  operatorClasses,
  operatorFamilies,
  textSearchParsers,
  textSearchTemplates,
  textSearchDictionaries,
  textSearchConfigurations,
  foreignDataWrappers,
  foreignServers,
  collations,
  conversions,
  casts,
  transforms,
  statistics,
  subscriptions,
];
