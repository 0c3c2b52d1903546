/** The Edge Functions of a project: requests in, workers under the hosted limits, answers out. */
import type { Limits, Policy } from "./limits.ts";
import type { WorkerInfo, WorkerLog } from "./worker.ts";

export interface FunctionsOptions {
  /** `supabase/functions`: one folder a function. */
  functionsDir: string;
  /** Environment of every worker: see functionEnv(). */
  env: Record<string, string>;
  /** Secret of the JWTs that functions with `verify_jwt` ask for. */
  jwtSecret: string;
  /** TCP port on 127.0.0.1; a free one without it. */
  port?: number;
  /** The hosted limits but for what is named here. */
  limits?: Partial<Limits>;
  policy?: Policy;
  log?: (line: WorkerLog) => void;
}

export interface Functions {
  /** `<url>/<name>` calls the function of that name. */
  url: string;
  /** All workers since the start, ended ones included, oldest first. */
  workers(): WorkerInfo[];
  /** SIGKILLs a worker, as a crash would; resolves when it is gone. False when it has ended already. */
  kill(id: string): Promise<boolean>;
  stop(): Promise<void>;
}
