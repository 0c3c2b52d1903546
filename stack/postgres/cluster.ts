/** A PostgreSQL cluster of our own: made in a moment, gone without a trace. */
import { installPostgres } from "./install.ts";
import { freePort } from "./port.ts";
import { spawnSupervised, unprivileged } from "./supervised.ts";

export interface ClusterOptions {
  /** Folder of the data; kept at stop. Without it a temporary one that stop() removes. */
  dir?: string;
  /** TCP port on 127.0.0.1; a free one without it. */
  port?: number;
  /** Name of the bootstrap superuser; `postgres` without it. */
  superuser?: string;
  /** Further settings of postgresql.conf. */
  settings?: Record<string, string>;
}

export interface Cluster {
  port: number;
  dir: string;
  /** Folder of psql, pg_dump, pg_restore. */
  binDir: string;
  superuser: string;
  /** Connection string; the superuser and the database `postgres` unless told. */
  url(database?: string, user?: string): string;
  stop(): Promise<void>;
}

/** Nobody needs these data after a crash of the machine, so nothing waits for the disk. */
const THROW_AWAY = { fsync: "off", synchronous_commit: "off", full_page_writes: "off" };

/**
 * Starts a cluster that accepts every local connection (trust) with UTF8 and the C.UTF-8 locale. It ends with this
 * process, however that ends. Throws with the server's own log when it does not come up.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const binDir = await installPostgres();
  const superuser = options.superuser ?? "postgres";
  const port = options.port ?? freePort();
  const dir = options.dir ?? await Deno.makeTempDir({ prefix: "cluster-" });
  const temporary = options.dir === undefined;
  await Deno.mkdir(dir, { recursive: true });
  const owner = await unprivileged();
  if (owner !== null) await Deno.chown(dir, owner.uid, owner.gid);
  if (!await isCluster(dir)) await initialize(binDir, dir, superuser);

  const settings = {
    listen_addresses: "127.0.0.1",
    port: String(port),
    unix_socket_directories: dir,
    max_connections: "100",
    ...(temporary ? THROW_AWAY : {}),
    ...options.settings,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const server = await spawnSupervised(`${binDir}/postgres`, ["-D", dir, ...args], { asUnprivileged: true });
  const log = collect(server.stderr);

  const url = (database = "postgres", user = superuser) =>
    `postgresql://${encodeURIComponent(user)}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
  const stop = async () => {
    // Fast shutdown: sessions are ended, nobody is waited for.
    try {
      server.kill("SIGINT");
    } catch { /* it has ended already */ }
    await server.status;
    await log.done;
    if (temporary) await Deno.remove(dir, { recursive: true });
  };
  try {
    await untilReady(binDir, port, server.status);
  } catch (error) {
    await stop();
    throw new Error(`PostgreSQL did not start on port ${port}:\n${log.text()}`, { cause: error });
  }
  return { port, dir, binDir, superuser, url, stop };
}

async function isCluster(dir: string): Promise<boolean> {
  try {
    await Deno.stat(`${dir}/PG_VERSION`);
    return true;
  } catch {
    return false;
  }
}

async function initialize(binDir: string, dir: string, superuser: string): Promise<void> {
  const child = await spawnSupervised(`${binDir}/initdb`, [
    ...["-D", dir, "-U", superuser, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
  ], { asUnprivileged: true });
  const log = collect(child.stderr);
  const { success } = await child.status;
  await log.done;
  if (!success) throw new Error(`initdb failed:\n${log.text()}`);
}

/** Ready when pg_isready says so; a server that ended will never be. */
async function untilReady(binDir: string, port: number, ended: Promise<Deno.CommandStatus>): Promise<void> {
  let over = false;
  ended.then(() => over = true);
  const deadline = Date.now() + 30_000;
  while (!over && Date.now() < deadline) {
    const { success } = await new Deno.Command(`${binDir}/pg_isready`, {
      args: ["-q", "-h", "127.0.0.1", "-p", String(port), "-d", "postgres"],
    }).output();
    if (success) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(over ? "the server ended" : "the server was not ready after 30 s");
}

/** Keeps the last few kilobytes of a stream: what a person wants to see when something went wrong. */
function collect(stream: ReadableStream<Uint8Array>): { text(): string; done: Promise<void> } {
  let kept = "";
  const done = (async () => {
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) kept = (kept + chunk).slice(-8000);
  })();
  return { text: () => kept, done };
}
