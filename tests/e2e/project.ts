/** A project on the embedded stack, and what a person does with it: start backups, look into the log and the bucket. */
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import postgres, { type Sql } from "postgres";
import { type Stack, type StackOptions, startStack } from "../../stack/stack.ts";

export interface Run {
  id: number;
  name: string;
  status: "queued" | "running" | "succeeded" | "failed" | "cancelled";
  attempt: number;
  invocations: number;
  tables: number | null;
  rows: number | null;
  raw_bytes: number | null;
  stored_bytes: number | null;
  parts: number | null;
  warnings: { code: string; object: string; message: string }[];
  error_code: string | null;
  error_message: string | null;
  error_hint: string | null;
  finished_at: string | null;
  verified_at: string | null;
  removed_at: string | null;
  attempts: { attempt: number; error: { code: string; message: string }; worker_died: boolean }[];
  trigger: string;
}

/** Answers a request in place of the project; null lets it through. */
export type Fault = (request: Request) => Promise<Response | null> | Response | null;

export interface Project extends AsyncDisposable {
  stack: Stack;
  /** Sees each request to the function and to Storage first. */
  fault: Fault | null;
  /** Role postgres. */
  sql: Sql;
  /** Role supabase_admin. */
  superuser: Sql;
  /** supabase-js with the secret key. */
  client: SupabaseClient;
  /** Lines that the function has logged. */
  logged: string[];
  run(id: number): Promise<Run>;
  /** Waits until a run has ended; wakes the watch-dog more often than pg_cron would. */
  ended(id: number): Promise<Run>;
  /** `backup.start()` and the wait for its end. */
  backUp(trigger?: "manual" | "scheduled"): Promise<Run>;
  /** Names of all objects in the bucket, folder by folder. */
  stored(): Promise<Record<string, string[]>>;
}

const PATIENCE_MS = 300_000;

export async function startProject(options: StackOptions = {}): Promise<Project> {
  const logged: string[] = [];
  let project: Project | null = null;
  const stack = await startStack({
    migrate: "directly",
    intercept: (request) => project?.fault?.(request) ?? null,
    ...options,
    log: (source, line) => source === "functions" && logged.push(line),
  });
  // One session as postgres, which outlives a change of its password.
  const sql = postgres(stack.databaseUrl, { max: 1, onnotice: () => {} });
  const superuser = postgres(stack.superuserUrl, { max: 2, onnotice: () => {} });
  const client = createClient(stack.apiUrl, stack.keys.secretKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  });

  const run = async (id: number): Promise<Run> => {
    const [row] = await superuser<
      { run: Run }[]
    >`select to_jsonb(l) as run from backup.log l where id = ${id}`;
    return row!.run;
  };
  const ended = async (id: number): Promise<Run> => {
    let watched = Date.now();
    const found = await until(`run ${id} has ended`, async () => {
      if (Date.now() - watched > 3000) {
        watched = Date.now();
        await sql`select backup.watch()`;
      }
      const now = await run(id);
      return now.finished_at === null ? null : now;
    }).catch((error) => {
      throw new Error(`${error.message}\n${logged.slice(-20).join("\n")}`);
    });
    return found;
  };

  project = {
    stack,
    sql,
    superuser,
    client,
    logged,
    run,
    ended,
    fault: null,
    async backUp(trigger = "manual") {
      const [row] = await sql<{ id: number }[]>`select backup.start(${trigger})::int as id`;
      return await ended(row!.id);
    },
    async stored() {
      const rows = await superuser<{ folder: string; name: string }[]>`
        select split_part(name, '/', 1) as folder, split_part(name, '/', 2) as name
        from storage.objects where bucket_id = 'backups' order by name`;
      const folders: Record<string, string[]> = {};
      for (const { folder, name } of rows) (folders[folder] ??= []).push(name);
      return folders;
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled([sql.end({ timeout: 1 }), superuser.end({ timeout: 1 })]);
      await stack.stop();
    },
  };
  return project;
}

/** Waits until no worker has a session any more. */
export async function sessionsEnded(superuser: Sql): Promise<void> {
  await until("no session of the function is left", async () => {
    const sessions =
      await superuser`select from pg_stat_activity where application_name like 'supabase-backup%'`;
    return sessions.length === 0 ? true : null;
  });
}

/** Waits until `look` finds something; throws what was waited for. */
export async function until<T>(what: string, look: () => Promise<T | null>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  while (Date.now() < deadline) {
    const found = await look();
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Waited ${PATIENCE_MS / 1000} s, but never: ${what}`);
}
