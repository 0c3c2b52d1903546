/** The project's home without Docker: everything started in order, and ended in the reverse order. */
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { certificates } from "./certificates.ts";
import { projectConfig } from "./config.ts";
import { functionEnv } from "./functions/env.ts";
import { type Functions, type FunctionsOptions, startFunctions } from "./functions/functions.ts";
import { type GatewayOptions, startGateway } from "./gateway/gateway.ts";
import { type ProjectKeys, projectKeys } from "./keys.ts";
import { folderContent, hasCli, joinContents, migrationsContent, pushMigrations } from "./migrations.ts";
import { startNet } from "./net/net.ts";
import { makePassable } from "./postgres/ownership.ts";
import { encrypt } from "./postgres/encrypt.ts";
import { type ProjectDatabase, type ProjectOptions, startProjectDatabase } from "./postgres/project.ts";
import { Started } from "./started.ts";
import type { StackStatus } from "./status.ts";
import { startStorage, type Storage } from "./storage/storage.ts";

export interface StackOptions
  extends
    Pick<FunctionsOptions, "limits" | "policy">,
    Pick<GatewayOptions, "intercept" | "hideErrors">,
    Pick<ProjectOptions, "variant" | "automaticRls" | "binDir"> {
  /** Folder that keeps data, files and keys; without it everything is gone at the end. */
  keep?: string;
  /** Ports on 127.0.0.1; free ones without them. */
  port?: number;
  databasePort?: number;
  /** `supabase/functions` of this project without it. */
  functionsDir?: string;
  /** Single keys that are given instead of made; a JWT secret signs the legacy ones. */
  keys?: Partial<ProjectKeys>;
  /** Without encryption between functions, database and gateway; with it, functions are given its authority. */
  cleartext?: boolean;
  /** By which functions reach the database; 127.0.0.1 without it. */
  databaseHost?: string;
  /** Packets of functions to the database get no answer, as under Network Restrictions. */
  silentDatabase?: boolean;
  /** Secrets of the functions beside the platform's own, as `supabase secrets set` sets them. */
  secrets?: Record<string, string>;
  /**
   * Applies the project's migrations, with the Supabase CLI or `directly`, which is quicker. Without it: with the CLI
   * where it is installed.
   */
  migrate?: boolean | "directly";
  /** Folder of SQL files to run after them, as role `postgres`, each once. */
  load?: URL;
  log?: (source: "functions" | "net" | "storage", line: string) => void;
}

export interface Stack {
  apiUrl: string;
  /** Role `postgres`. */
  databaseUrl: string;
  /** Role `supabase_admin`. */
  superuserUrl: string;
  keys: ProjectKeys;
  database: ProjectDatabase;
  functions: Functions;
  storage: Storage;
  status(): StackStatus;
  stop(): Promise<void>;
}

const PROJECT = new URL("../supabase/", import.meta.url);

/**
 * Starts a project; resolves when it takes requests. It ends with this process, however that ends. Throws when a
 * part does not come up or a migration fails; then nothing is left running.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const started = new Started();
  try {
    return await start(options, started);
  } catch (error) {
    await started.end().catch(() => {});
    throw error;
  }
}

/** Returns the major version of the server whose data a folder keeps; undefined while it keeps none. */
export async function keptMajor(keep: string): Promise<number | undefined> {
  try {
    return Number(await Deno.readTextFile(`${keep}/database/data/PG_VERSION`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function start(options: StackOptions, started: Started): Promise<Stack> {
  const { keep, load, log = () => {} } = options;
  const migrate = options.migrate ?? (await hasCli() ? true : "directly");
  if (keep !== undefined) await makePassable(keep);
  const keys = await projectKeys({
    ...(keep === undefined ? {} : { dir: keep }),
    ...(options.keys ? { given: options.keys } : {}),
  });
  const config = await projectConfig(new URL("config.toml", PROJECT));

  const tls = options.cleartext ? {} : { certificates: await certificates() };
  const loaded = load === undefined ? [] : [await folderContent(load)];
  const database = started.add(
    await startProjectDatabase({
      ...(keep === undefined ? {} : { dir: `${keep}/database` }),
      ...(options.databasePort === undefined ? {} : { port: options.databasePort }),
      ...(options.variant === undefined ? {} : { variant: options.variant }),
      ...(options.automaticRls === undefined ? {} : { automaticRls: options.automaticRls }),
      ...(options.binDir === undefined ? {} : { binDir: options.binDir }),
      ...(migrate === "directly" ? { content: joinContents([await migrationsContent(), ...loaded]) } : {}),
    }),
    (database) => database.stop(),
  );
  if (tls.certificates) await encrypt(database.cluster, tls.certificates);
  const { url: databaseUrl, superuserUrl } = database;
  if (!database.realNet) {
    const net = await startNet({ databaseUrl, log: (line) => log("net", line) });
    started.add(net, (net) => net.stop());
  }

  const { intercept, port, hideErrors = false } = options;
  const gateway = started.add(
    startGateway({
      keys,
      hideErrors,
      ...tls,
      ...(port === undefined ? {} : { port }),
      ...(intercept ? { intercept } : {}),
    }),
    (gateway) => gateway.stop(),
  );
  // A cluster that is thrown away takes the files along, even when this process is killed.
  const files = `${keep ?? database.cluster.dir}/storage`;
  await Deno.mkdir(files, { recursive: true, mode: 0o700 });
  const storage = started.add(
    await startStorage({
      databaseUrl: database.urlOf("supabase_storage_admin"),
      dir: files,
      jwtSecret: keys.jwtSecret,
      ...(config.fileSizeLimit === undefined ? {} : { fileSizeLimit: config.fileSizeLimit }),
      log: ({ method, path, status, error }) => {
        if (status >= 500) log("storage", `${method} ${path} ${status} ${error}`);
      },
    }),
    (storage) => storage.stop(),
  );
  gateway.upstreams.storage = storage.url;
  const functions = started.add(
    await startFunctions({
      functionsDir: options.functionsDir ?? fileURLToPath(new URL("functions", PROJECT).href),
      env: {
        ...options.secrets,
        ...functionEnv({
          url: gateway.secureUrl,
          keys,
          databaseUrl: asFunctionsSeeIt(databaseUrl, options, started),
        }),
      },
      ...(tls.certificates ? { authority: tls.certificates.authority } : {}),
      jwtSecret: keys.jwtSecret,
      verifyJwt: config.verifyJwt,
      ...(options.limits ? { limits: options.limits } : {}),
      ...(options.policy ? { policy: options.policy } : {}),
      log: (line) => log("functions", `${line.function}: ${line.message}`),
    }),
    (functions) => functions.stop(),
  );
  gateway.upstreams.functions = functions.url;

  if (migrate === true) await pushMigrations(databaseUrl);
  if (migrate !== "directly") await joinContents(loaded).apply(databaseUrl);
  await configureBackup(databaseUrl, gateway.url);

  const startedAt = new Date().toISOString();
  const status = (): StackStatus => ({
    apiUrl: gateway.url,
    databaseUrl,
    superuserUrl,
    ...keys,
    pid: Deno.pid,
    startedAt,
  });
  return {
    apiUrl: gateway.url,
    databaseUrl,
    superuserUrl,
    keys,
    database,
    functions,
    storage,
    status,
    stop: () => started.end(),
  };
}

/** Returns the database's address for functions. */
function asFunctionsSeeIt(
  databaseUrl: string,
  { databaseHost, silentDatabase }: StackOptions,
  started: Started,
): string {
  const url = new URL(databaseUrl);
  if (databaseHost !== undefined) url.hostname = databaseHost;
  if (silentDatabase) {
    // It takes connections, since the system does so for it, and never says anything.
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    started.add(listener, () => Promise.resolve(listener.close()));
    url.port = String(listener.addr.port);
  }
  return url.href;
}

/** Tells the database where its function is: the gateway's port may be another one each time. */
async function configureBackup(databaseUrl: string, apiUrl: string): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    const [found] = await sql`select to_regnamespace('backup') is not null as there`;
    if (found!.there) await sql`select backup.configure(function_url => ${`${apiUrl}/functions/v1/backup`})`;
  } finally {
    await sql.end();
  }
}
