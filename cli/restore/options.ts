/** What a person asked `npm run restore` for. */
import { parseArgs } from "node:util";
import { identityFile } from "../decrypt/decryption.ts";
import { UsageError } from "../terminal.ts";
import type { Allowed } from "./gates.ts";
import type { RestoreOptions } from "./run.ts";
import { defaultWorkDir } from "./source.ts";
import type { Kind } from "./target.ts";

export interface Asked {
  backup: string | undefined;
  from: string | undefined;
  identity: string | undefined;
  to: string | undefined;
  as: Kind | undefined;
  intoSchema: string | null;
  options: RestoreOptions;
  allowed: Allowed;
  dryRun: boolean;
  check: boolean;
  confirm: string | undefined;
  workDir: string;
  keep: boolean;
}

/** Connections at once. Throws UsageError for what is no number of them. */
export function jobsOf(given: string | undefined): number {
  const jobs = Number(given ?? 1);
  if (!Number.isInteger(jobs) || jobs < 1) throw new UsageError("--jobs is a number, 1 or more");
  return jobs;
}

/** Throws UsageError for options that contradict each other, TypeError for unknown ones. */
export function readOptions(args: string[]): Asked {
  const { values } = parseArgs({
    args,
    options: {
      ...{
        backup: { type: "string" },
        from: { type: "string" },
        to: { type: "string" },
        jobs: { type: "string" },
        as: { type: "string" },
        identity: { type: "string" },
      },
      ...{ table: { type: "string", multiple: true }, schema: { type: "string", multiple: true } },
      ...{
        "schema-only": { type: "boolean" },
        "data-only": { type: "boolean" },
        "with-files": { type: "boolean" },
        "with-dependents": { type: "boolean" },
      },
      ...{
        "into-schema": { type: "string" },
        "no-owner": { type: "boolean" },
        "without-missing": { type: "boolean" },
      },
      ...{ "dry-run": { type: "boolean" }, check: { type: "boolean" }, clean: { type: "boolean" } },
      ...{ "into-non-empty": { type: "boolean" }, "into-source": { type: "boolean" } },
      ...{
        "older-server": { type: "boolean" },
        production: { type: "boolean" },
        confirm: { type: "string" },
      },
      ...{ "work-dir": { type: "string" }, keep: { type: "boolean" } },
    },
  });
  const jobs = jobsOf(values.jobs);
  if (values["schema-only"] && values["data-only"]) {
    throw new UsageError("--schema-only and --data-only together leave nothing");
  }
  if (values["into-schema"] !== undefined && (values.table ?? []).length === 0) {
    throw new UsageError("--into-schema takes --table");
  }
  if (values.clean && values["into-non-empty"]) {
    throw new UsageError("--clean and --into-non-empty are two answers to one question");
  }
  const { as } = values;
  if (as !== undefined && as !== "plain" && as !== "supabase") {
    throw new UsageError("--as is plain or supabase");
  }
  return {
    as,
    ...{ backup: values.backup, from: values.from, to: values.to, confirm: values.confirm },
    identity: identityFile(values.identity),
    ...{
      intoSchema: values["into-schema"] ?? null,
      dryRun: values["dry-run"] ?? false,
      check: values.check ?? false,
    },
    workDir: values["work-dir"] ?? defaultWorkDir(),
    keep: values.keep ?? false,
    options: {
      ...{ tables: values.table ?? [], schemas: values.schema ?? [], jobs, settle: true },
      ...{ schemaOnly: values["schema-only"] ?? false, dataOnly: values["data-only"] ?? false },
      ...{ clean: values.clean ?? false, noOwner: values["no-owner"] ?? false },
      withDependents: values["with-dependents"] ?? false,
      ...{ withFiles: values["with-files"] ?? false, withoutMissing: values["without-missing"] ?? false },
    },
    allowed: {
      ...{ clean: values.clean ?? false, intoNonEmpty: values["into-non-empty"] ?? false },
      ...{ intoSource: values["into-source"] ?? false, olderServer: values["older-server"] ?? false },
      production: values.production ?? false,
    },
  };
}
