/** The project that a command talks to: the one of the environment, else the stack that runs from this folder. */
import process from "node:process";
import { CommandError } from "../terminal/errors.ts";

export interface Project {
  /** Base URL: `https://<ref>.supabase.co`, or the stack's gateway. */
  url: string;
  /** Secret key or legacy service_role key. */
  secretKey: string;
}

/** The stack writes it while it runs. */
const STATUS_FILE = new URL("../../.stack/status.json", import.meta.url);

/**
 * Returns the project of SUPABASE_URL with SUPABASE_SECRET_KEY (or SUPABASE_SERVICE_ROLE_KEY), else the running stack.
 * Throws CommandError where there is neither, and where only one of the two is set.
 */
export async function findProject(): Promise<Project> {
  const url = Deno.env.get("SUPABASE_URL");
  const secretKey = Deno.env.get("SUPABASE_SECRET_KEY") ?? Deno.env.get("SUPABASE_SERVICE_ROLE_KEY");
  if (url && secretKey) return { url: url.replace(/\/+$/, ""), secretKey };
  if (url || secretKey) {
    throw new CommandError(
      `Only one of SUPABASE_URL and SUPABASE_SECRET_KEY is set`,
      "Set both, or set neither to use the stack that `npm run stack` starts.",
    );
  }
  return await runningStack();
}

async function runningStack(): Promise<Project> {
  let status: { apiUrl: string; secretKey: string; pid: number };
  try {
    status = JSON.parse(await Deno.readTextFile(STATUS_FILE));
    // A stack that was killed leaves its file behind. Signal 0 only asks whether the process exists.
    process.kill(status.pid, 0);
  } catch (error) {
    throw new CommandError(
      "No project is named, and no stack runs from this folder",
      "Set SUPABASE_URL and SUPABASE_SECRET_KEY, or start the stack with `npm run stack`.",
      error,
    );
  }
  return { url: status.apiUrl, secretKey: status.secretKey };
}

/** Returns the database of the stack that runs from this folder; null where the project is another one. */
export async function stackDatabase(project: Project): Promise<string | null> {
  try {
    const status = JSON.parse(await Deno.readTextFile(STATUS_FILE));
    return status.apiUrl === project.url ? status.databaseUrl : null;
  } catch {
    return null;
  }
}
