/** The function's answers to a caller who holds the secret key: start a run, read the log, and whatever else it is asked. */
import { createClient, FunctionsFetchError, FunctionsHttpError } from "@supabase/supabase-js";
import type { Project } from "./project.ts";
import { CommandError } from "./terminal.ts";

/** A row of `backup.log` as the function renders it (JSON of the table's columns). */
export interface Run {
  id: number;
  name: string;
  trigger: "scheduled" | "manual";
  status: "queued" | "running" | "succeeded" | "failed" | "cancelled";
  phase: string | null;
  started_at: string;
  finished_at: string | null;
  attempt: number;
  /** Earlier ones. */
  attempts: { error: { code: string } }[];
  progress: RunProgress | null;
  tables: number | null;
  rows: number | null;
  raw_bytes: number | null;
  stored_bytes: number | null;
  parts: number | null;
  verified_at: string | null;
  pinned: boolean;
  warnings: { code: string; object: string; message: string }[];
  error_code: string | null;
  error_message: string | null;
  error_hint: string | null;
}

export interface RunProgress {
  /** What live workers are at. */
  doing?: { table?: string }[];
  rows?: number;
  raw_bytes?: number;
  estimated_bytes?: number;
}

/** Starts a run by hand; answers its id. Throws CommandError with the function's own message and hint. */
export async function startRun(project: Project): Promise<number> {
  return (await call<{ run_id: number }>(project, {})).run_id;
}

/** The newest runs first, or the one with `runId`. */
export async function readRuns(project: Project, query: { limit?: number; runId?: number }): Promise<Run[]> {
  const log = { limit: query.limit ?? 20, ...(query.runId === undefined ? {} : { run_id: query.runId }) };
  return (await call<{ runs: Run[] }>(project, { log })).runs;
}

/** Asks the function of a project. Throws CommandError with the function's own message and hint. */
export async function call<Answer>(project: Project, body: Record<string, unknown>): Promise<Answer> {
  const client = createClient(project.url, project.secretKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  const { data, error } = await client.functions.invoke("backup", { body });
  if (error instanceof FunctionsHttpError) throw await fromAnswer(error);
  if (error instanceof FunctionsFetchError) {
    throw new CommandError(
      `${project.url} could not be reached`,
      "Check SUPABASE_URL, or start the stack.",
      error,
    );
  }
  if (error !== null) throw error;
  return data as Answer;
}

/** The function answers errors as `{code, message, hint}`; a gateway in front of it may say anything else. */
async function fromAnswer(error: FunctionsHttpError): Promise<CommandError> {
  const response = error.context as Response;
  const text = await response.text();
  try {
    const { message, hint } = JSON.parse(text) as { message?: string; hint?: string };
    if (message) return new CommandError(message, hint ?? "", error);
  } catch { /* not JSON: the text itself is the best there is */ }
  return new CommandError(
    `The function answered ${response.status}: ${text.slice(0, 200)}`,
    response.status === 404
      ? "Deploy it with `supabase functions deploy backup`."
      : "Look into the function's log in the dashboard.",
    error,
  );
}
