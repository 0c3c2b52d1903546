/** The Edge Functions of a project: requests in, workers under the hosted limits, answers out. */
import { idleTimeout, notFound, workerEnded } from "./answers.ts";
import { type DeployedFunction, deployFunction } from "./deploy.ts";
import { HOSTED_LIMITS, type Limits, type Policy } from "./limits.ts";
import { startProcesses } from "./processes.ts";
import { WorkerEnded, type WorkerInfo, type WorkerLog } from "./report.ts";
import { verifyJwt } from "./verify_jwt.ts";
import { Worker } from "./worker.ts";

export type { WorkerInfo, WorkerLog };

export interface FunctionsOptions {
  /** `supabase/functions`: one folder a function. */
  functionsDir: string;
  /** Environment of every worker: see functionEnv(). */
  env: Record<string, string>;
  /** PEM of an authority that functions trust beside the public ones. */
  authority?: string;
  /** Secret of the JWTs that functions with `verify_jwt` ask for. */
  jwtSecret: string;
  /** `verify_jwt` of config.toml by function; true for those that it does not name, as on the platform. */
  verifyJwt?: Record<string, boolean>;
  /** TCP port on 127.0.0.1; a free one without it. */
  port?: number;
  /** The hosted limits but for what is named here. */
  limits?: Partial<Limits>;
  /** `per_worker` without it. */
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

/** No response in time; the worker goes on. */
class ResponseTimeout extends Error {}

/**
 * Starts to serve; workers start with the first request of their function. Ends with this process, however that ends.
 */
export async function startFunctions(options: FunctionsOptions): Promise<Functions> {
  const { env, jwtSecret, verifyJwt: verified = {}, policy = "per_worker", log = () => {} } = options;
  const limits = { ...HOSTED_LIMITS, ...options.limits };
  const functionsDir = await Deno.realPath(options.functionsDir);
  const processes = await startProcesses(options.authority);
  const workers: Worker[] = [];
  const deployments = new Map<string, Promise<DeployedFunction | null>>();
  let stopping = false;

  const workerFor = (deployed: DeployedFunction): Worker => {
    // Under per_worker there is never more than one: the next one starts when this one is retired.
    const free = workers.find((worker) => worker.of === deployed.name && worker.takes());
    if (free) return free;
    if (stopping) throw new WorkerEnded("termination");
    const worker = new Worker({ ...deployed, env, limits, policy, processes, log });
    workers.push(worker);
    return worker;
  };

  /** Each function once; one that is not there, or does not compile, is looked at again with the next request. */
  const deploy = async (name: string): Promise<DeployedFunction | null> => {
    const deployment = deployments.get(name) ?? deployFunction(functionsDir, name, processes.deployed);
    deployments.set(name, deployment);
    const deployed = await deployment.catch((error) => {
      deployments.delete(name);
      throw error;
    });
    if (deployed === null) deployments.delete(name);
    return deployed;
  };

  const respond = async (request: Request): Promise<Response> => {
    const name = new URL(request.url).pathname.split("/")[1]!;
    const notDeployed = (reason: string) => {
      log({ worker: "", function: name, level: "runtime", message: `not deployed: ${reason}` });
      return workerEnded("boot_error");
    };
    const deployed = await deploy(name).catch((error: Error) => error);
    if (deployed === null) return notFound();
    // A browser's preflight carries no token.
    if (request.method !== "OPTIONS" && (verified[name] ?? true)) {
      const refusal = await verifyJwt(request, jwtSecret);
      if (refusal !== null) return refusal;
    }
    if (deployed instanceof Error) return notDeployed(deployed.message);
    if (deployed.bytes > limits.bundleBytes) {
      return notDeployed(`its ${deployed.bytes} bytes are more than the platform's ${limits.bundleBytes}`);
    }
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new ResponseTimeout()), limits.responseMs);
    try {
      return await workerFor(deployed).fetch(request, late.signal);
    } catch (error) {
      if (error instanceof ResponseTimeout) return idleTimeout(limits.responseMs);
      if (error instanceof WorkerEnded) return workerEnded(error.reason);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };

  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    server = Deno.serve({ hostname: "127.0.0.1", port: options.port ?? 0, onListen: () => {} }, respond);
  } catch (error) {
    // The port is taken.
    await processes.stop();
    throw error;
  }

  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    workers: () => workers.map((worker) => worker.info()),
    kill: async (id) => await workers.find((worker) => worker.info().id === id)?.kill() ?? false,
    stop: async () => {
      stopping = true;
      const closed = server.shutdown();
      await Promise.all(workers.map((worker) => worker.terminate()));
      await closed;
      await processes.stop();
    },
  };
}
