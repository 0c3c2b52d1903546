/** The shapes of what the page is told. */
import type { Manifest } from "../../../supabase/functions/backup/manifest/manifest.ts";
import type { Run } from "../../project/function_client.ts";
import type { Health } from "../../project/health.ts";
import type { Extras } from "../facts.ts";
import type { Settled } from "../answers.ts";

export type {
  Difference,
  TableDifference,
} from "../../../supabase/functions/backup/inspect/compare_states.ts";
export type { DefinitionDifference } from "../../../supabase/functions/backup/inspect/compare_definitions.ts";
export type { RowChange } from "../../../supabase/functions/backup/inspect/row_samples.ts";
export type { Found } from "../../inspect/find_key.ts";
export type { StoredObject } from "../../inspect/objects.ts";
export type { Run } from "../../project/function_client.ts";
export type { Health } from "../../project/health.ts";
export type { Extras, TableProgress } from "../facts.ts";
export type { Page } from "../row_pages.ts";
export type { Manifest };

export interface Backup {
  name: string;
  storedBytes: number;
  damage: string | null;
  wrongParts: number;
  snapshotAt: string | null;
  totals: Manifest["totals"] | null;
  encrypted: boolean;
}

export interface Overview {
  url: string;
  hasDatabase: boolean;
  canPlan: boolean;
  allowActions: boolean;
  health: Settled<Health>;
  runs: Settled<Run[]>;
  backups: Settled<Backup[]>;
  extras: Settled<Extras | null>;
}
