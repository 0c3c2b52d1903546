/** All object types, in the order in which pg_dump reads them (common.c, getSchemaData). */
import { accessMethods } from "./access_methods.ts";
import { aggregates } from "./aggregates.ts";
import { baseTypes } from "./base_types.ts";
import { casts } from "./casts.ts";
import { collations } from "./collations.ts";
import { compositeTypes } from "./composite_types.ts";
import { conversions } from "./conversions.ts";
import { defaultPrivileges } from "./default_privileges.ts";
import { domains } from "./domains.ts";
import { enums } from "./enums.ts";
import { extensionRows, extensionSequences } from "./extension_rows.ts";
import { eventTriggers } from "./event_triggers.ts";
import { extensions } from "./extensions.ts";
import type { ObjectType } from "./object_type.ts";
import { foreignDataWrappers, foreignServers } from "./foreign_data.ts";
import { foreignKeys } from "./foreign_keys.ts";
import { functions } from "./functions.ts";
import { indexAttachments } from "./index_attachments.ts";
import { indexes } from "./indexes.ts";
import { languages } from "./languages.ts";
import { largeObjects } from "./large_objects.ts";
import { operatorClasses, operatorFamilies } from "./operator_classes.ts";
import { operators } from "./operators.ts";
import { policies, rowSecurity } from "./policies.ts";
import { publications, publicationSchemas, publicationTables } from "./publications.ts";
import { ranges } from "./ranges.ts";
import { rules } from "./rules.ts";
import { schemas } from "./schemas.ts";
import { sequences } from "./sequences.ts";
import { statistics } from "./statistics.ts";
import { subscriptions } from "./subscriptions.ts";
import { tables } from "./tables.ts";
import {
  textSearchConfigurations,
  textSearchDictionaries,
  textSearchParsers,
  textSearchTemplates,
} from "./text_search.ts";
import { transforms } from "./transforms.ts";
import { triggers } from "./triggers.ts";
import { views } from "./views.ts";

export const OBJECT_TYPES: readonly ObjectType[] = [
  extensions,
  schemas,
  tables,
  extensionRows,
  views,
  sequences,
  extensionSequences,
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
  defaultPrivileges,
  collations,
  conversions,
  casts,
  transforms,
  eventTriggers,
  indexes,
  indexAttachments,
  statistics,
  foreignKeys,
  triggers,
  rules,
  rowSecurity,
  policies,
  publications,
  publicationTables,
  publicationSchemas,
  subscriptions,
  largeObjects,
];
