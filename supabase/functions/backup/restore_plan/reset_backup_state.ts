/**
 * A copy of a database holds a copy of the backup state. It must not call the source's function, wait for the
 * source's run, or treat the source's second copies as its own.
 */
import type { BackupSettings } from "./context.ts";
import type { Entry } from "../entry.ts";
import { columnsOf } from "../restore/sql_names.ts";
import { type Plan, type PlanStep, statements } from "./plan_step.ts";
import { literal } from "./sql_text.ts";

const TABLES = ["settings", "log"];
/** A backup of 0.1.0 has none. */
const RESTORES = "restores";

/** Settings that a copy must not take over from the source. */
const ELSEWHERE = ["function_url", "second_copy"];

/**
 * Does nothing when the state is not restored. The run ends at its last heartbeat: of a run that ends now,
 * people would be notified.
 */
export const resetBackupState: PlanStep = ({ options, backupSettings: there }, { restored }) => {
  const data = restored.filter(({ desc, namespace }) => desc === "TABLE DATA" && namespace === "backup");
  const found = data.filter(({ tag }) => TABLES.includes(tag));
  if (!options.settle || found.length < TABLES.length) return {};
  // In place means the same project, whose bucket has the backup: the rebuilt log lists it as succeeded.
  const inPlace = Boolean(there.function_url);
  // A backup of an earlier release lacks some.
  const columns = columnsOf(found.find(({ tag }) => tag === "settings")!.copy!);
  // In place all of them stay: the backup's may lack encryption, name another bucket, or keep fewer backups.
  const names = inPlace
    ? Object.keys(there).filter((name) => /^[a-z_]+$/.test(name) && name !== "id")
    : ELSEWHERE;
  const lost = names.filter((name) =>
    !columns.includes(name) && (there[name] ?? null) !== null && !isEmpty(there[name])
  );
  const own = names.filter((name) => columns.includes(name)).map((name) => {
    const value = there[name] ?? null;
    return `${name} = ${value === null ? "NULL" : literal(asText(value))}`;
  });
  const settings = `UPDATE backup.settings SET ${own.join(", ")};\n`;
  const state = inPlace ? stateInPlace(data) : stateOfCopy(
    data.filter(({ tag }) => [...TABLES, RESTORES].includes(tag)),
  );
  const { altered, toDo } = state;
  return {
    altered,
    toDo,
    after: statements("the copy's own backups", settings + state.log + endedRestores(data)),
    notes: [
      ...state.notes,
      ...lost.length === 0 ? [] : [
        `the backup has no settings ${lost.join(", ")}; upgrade, and set them again with backup.configure()`,
      ],
    ],
  };
};

/** A restore or drill that the source was at work on is not the copy's. */
function endedRestores(data: readonly Entry[]): string {
  if (!data.some(({ tag }) => tag === RESTORES)) return "";
  return "UPDATE backup.restores SET status = 'cancelled', finished_at = progressed_at WHERE finished_at IS NULL;\n";
}

type State = Required<Pick<Plan, "altered" | "notes" | "toDo">> & { log: string };

/** The log is rebuilt from the bucket; what belongs to the run that made the backup goes with it. */
function stateInPlace(data: readonly Entry[]): State {
  return {
    altered: new Map(data.map(({ dumpId }) => [dumpId, "the project keeps its own backup state"])),
    notes: [
      "the restored log lacks backups that were made since the backup: supabase-backup log --rebuild; then pin them again",
      "the target keeps its backup settings",
    ],
    toDo: [],
    log: "DELETE FROM backup.log WHERE finished_at IS NULL;\n",
  };
}

function stateOfCopy(reset: readonly Entry[]): State {
  return {
    altered: new Map(reset.map(({ dumpId }) => [dumpId, "a copy starts with a clean backup state"])),
    notes: [],
    toDo: [{
      what: "enable backups of the copy",
      sql: "select backup.configure(function_url => 'https://<project-ref>.supabase.co/functions/v1/backup')",
    }],
    log: `UPDATE backup.log
SET status = 'cancelled', finished_at = COALESCE(heartbeat_at, started_at), error_code = 'cancelled',
    error_message = 'this run made the backup that this database was restored from', error_hint = 'No action is needed.'
WHERE finished_at IS NULL;
`,
  };
}

function isEmpty(value: BackupSettings[string] | undefined): boolean {
  return Array.isArray(value) && value.length === 0;
}

function asText(value: NonNullable<BackupSettings[string]>): string {
  return Array.isArray(value) ? `{${value.map((text) => JSON.stringify(text)).join(",")}}` : String(value);
}
