/** A runner of functions whose sources are written for one test. */
import {
  type Functions,
  type FunctionsOptions,
  startFunctions,
  type WorkerInfo,
  type WorkerLog,
} from "../../../stack/functions/functions.ts";

export const JWT_SECRET = "a secret of this test and of no other, long enough";

export interface Runner extends Functions {
  functionsDir: string;
  logs: WorkerLog[];
  /** Calls a function. */
  call(path: string, init?: RequestInit): Promise<Response>;
  /** The only worker so far. */
  worker(): WorkerInfo;
}

/**
 * Serves `sources`, the index.ts of each function by name, for as long as `use` takes. Every caller is let in unless
 * `options` say otherwise.
 */
export async function withFunctions(
  sources: Record<string, string>,
  options: Partial<FunctionsOptions>,
  use: (runner: Runner) => Promise<void>,
): Promise<void> {
  const functionsDir = await writeFunctions(sources);
  const logs: WorkerLog[] = [];
  try {
    const functions = await startFunctions({
      functionsDir,
      env: {},
      jwtSecret: JWT_SECRET,
      verifyJwt: Object.fromEntries(Object.keys(sources).map((name) => [name, false])),
      log: (line) => logs.push(line),
      ...options,
    });
    const call = (path: string, init?: RequestInit) => fetch(functions.url + path, init);
    const worker = () => {
      const [only, ...more] = functions.workers();
      if (only === undefined || more.length > 0) throw new Error(`${1 + more.length} workers, not one`);
      return only;
    };
    try {
      await use({ ...functions, functionsDir, logs, call, worker });
    } finally {
      await functions.stop();
    }
  } finally {
    await Deno.remove(functionsDir, { recursive: true });
  }
}

/** A folder of functions that everybody may read, as a checkout is. */
export async function writeFunctions(sources: Record<string, string>): Promise<string> {
  const functionsDir = await Deno.makeTempDir({ prefix: "functions-test-" });
  await Deno.chmod(functionsDir, 0o755);
  for (const [name, source] of Object.entries(sources)) {
    await Deno.mkdir(`${functionsDir}/${name}`);
    await Deno.writeTextFile(`${functionsDir}/${name}/index.ts`, source);
  }
  return functionsDir;
}

/** Waits until `condition` holds; throws when it has not in ten seconds. */
export async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !condition();) {
    if (Date.now() > deadline) throw new Error(`not within 10 s: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Whether a process of that pid is there and runs. */
export function lives(pid: number): boolean {
  try {
    return !/^State:\s*Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
