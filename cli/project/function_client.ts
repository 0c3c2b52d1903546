/** Calls the function with the secret key: starts a run, reads the log, and asks the rest. */
import { createClient, FunctionsFetchError, FunctionsHttpError } from "@supabase/supabase-js";
import type { Project } from "./find_project.ts";
import { CommandError } from "../terminal/errors.ts";
import { expectVersion } from "./versions.ts";

/** A row of `backup.log` as JSON. */
export interface Run {
  id: number;
  name: string;
  trigger: "scheduled" | "manual";
  status: "queued" | "running" | "succeeded" | "failed" | "cancelled";
  phase: string | null;
  started_at: string;
  finished_at: string | null;
  attempt: number;
  /** Earlier attempts. */
  attempts: { error: { code: string } }[];
  progress: RunProgress | null;
  tables: number | null;
  rows: number | null;
  raw_bytes: number | null;
  stored_bytes: number | null;
  parts: number | null;
  verified_at: string | null;
  /** Null where no invocation said so, as in earlier versions. */
  cpu_ms: number | null;
  pinned: boolean;
  warnings: { code: string; object: string; message: string }[];
  error_code: string | null;
  error_message: string | null;
  error_hint: string | null;
}

export interface RunProgress {
  /** What live workers export. */
  doing?: { table?: string }[];
  rows?: number;
  raw_bytes?: number;
  estimated_bytes?: number;
  /** Why no call of the function comes to anything. */
  problem?: { message: string; hint: string };
}

/** Starts a run by hand and returns its id. Throws CommandError with the function's own message and hint. */
export async function startRun(project: Project): Promise<number> {
  return (await call<{ run_id: number }>(project, {})).run_id;
}

/** Returns the newest runs first, or the one with `runId`. */
export async function readRuns(project: Project, query: { limit?: number; runId?: number }): Promise<Run[]> {
  const log = { limit: query.limit ?? 20, ...(query.runId === undefined ? {} : { run_id: query.runId }) };
  return (await call<{ runs: Run[] }>(project, { log })).runs;
}

/** Projects whose function works with this command. */
const known = new Set<string>();

/** Calls the function of a project. Throws CommandError with the function's own message and hint. */
export async function call<Answer>(project: Project, body: Record<string, unknown>): Promise<Answer> {
  // The log can be read whatever the version: a restore compares the manifest with it.
  if (body["log"] === undefined && !known.has(project.url)) {
    const { version } = await invoke<{ version: string }>(project, { version: true });
    expectVersion("function", version);
    known.add(project.url);
  }
  return await invoke(project, body);
}

async function invoke<Answer>(project: Project, body: Record<string, unknown>): Promise<Answer> {
  const client = createClient(project.url, project.secretKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  const { data, error } = await client.functions.invoke("backup", { body });
  if (error instanceof FunctionsHttpError) throw await answeredError(error);
  if (error instanceof FunctionsFetchError) {
    throw new CommandError(
      `Cannot reach ${project.url}`,
      "Check SUPABASE_URL and the network, or start the stack.",
      error,
    );
  }
  if (error !== null) throw error;
  return data as Answer;
}

/** The function answers errors as `{code, message, hint}`; a gateway in front of it may answer anything. */
async function answeredError(error: FunctionsHttpError): Promise<CommandError> {
  const response = error.context as Response;
  const text = await response.text();
  try {
    const { message, hint } = JSON.parse(text) as { message?: string; hint?: string };
    if (message) return new CommandError(message, hint ?? "", error);
  } catch { /* not JSON: the text is shown as it is */ }
  return new CommandError(
    `The function answered ${response.status}: ${text.slice(0, 200)}`,
    response.status === 404
      ? "Deploy it with `supabase functions deploy backup`."
      : "See the function's log in the dashboard.",
    error,
  );
}
