/** A PostgreSQL cluster of our own: made in a moment, gone without a trace. */
import { installPostgres } from "./install.ts";
import { freePort } from "./port.ts";
import { spawnSupervised, type Supervised, unprivileged } from "./supervised.ts";

export interface ClusterOptions {
  /** Folder of the data; kept at stop. Without it a temporary one that stop() removes. */
  dir?: string;
  /** Folder of the server's programs; those of this machine, installed when they are missing, without it. */
  binDir?: string;
  /** TCP port on 127.0.0.1; a free one without it. */
  port?: number;
  /** Name of the bootstrap superuser; `postgres` without it. */
  superuser?: string;
  /** Password that TCP connections have to give (SCRAM). Without it every connection is trusted. */
  password?: string;
  /** Further settings of postgresql.conf; `$dir` stands for the folder of the data. */
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

/** Another process may take a free port before the server does; nobody is that unlucky this often. */
const PORTS_TRIED = 4;

/**
 * Starts a cluster with UTF8 and the C.UTF-8 locale, on 127.0.0.1 and on a Unix socket in its own folder (mode 0700;
 * never asks for a password). It ends with this process, however that ends. Throws with the server's own log when it
 * does not come up.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const binDir = options.binDir ?? await installPostgres();
  const superuser = options.superuser ?? "postgres";
  const temporary = options.dir === undefined;
  const dir = temporary ? await Deno.makeTempDir({ prefix: "cluster-" }) : await Deno.realPath(options.dir!);
  try {
    await giveAway(dir);
    if (!await exists(`${dir}/PG_VERSION`)) {
      await initialize(binDir, dir, temporary, superuser, options.password);
    }
    for (let tried = 1;; tried++) {
      const port = options.port ?? freePort();
      try {
        const server = await startServer(binDir, dir, port, temporary, options.settings ?? {});
        const secret = options.password === undefined ? "" : `:${encodeURIComponent(options.password)}`;
        const url = (database = "postgres", user = superuser) =>
          `postgresql://${encodeURIComponent(user)}${secret}@127.0.0.1:${port}/${
            encodeURIComponent(database)
          }`;
        const stop = async () => {
          await server.end();
          if (temporary) await removeFolder(dir);
        };
        return { port, dir, binDir, superuser, url, stop };
      } catch (error) {
        const taken = error instanceof Error && /could not bind/.test(error.message);
        if (options.port !== undefined || !taken || tried === PORTS_TRIED) throw error;
      }
    }
  } catch (error) {
    if (temporary) await removeFolder(dir);
    throw error;
  }
}

/** Answers once the server takes connections. */
async function startServer(
  binDir: string,
  dir: string,
  port: number,
  temporary: boolean,
  further: Record<string, string>,
): Promise<Supervised> {
  const settings = {
    listen_addresses: "127.0.0.1",
    port: String(port),
    unix_socket_directories: dir,
    ...(temporary ? THROW_AWAY : {}),
    ...further,
  };
  const args = Object.entries(settings)
    .flatMap(([name, value]) => ["-c", `${name}=${value.replaceAll("$dir", dir)}`]);
  const server = await spawnSupervised(`${binDir}/postgres`, ["-D", dir, ...args], {
    asUnprivileged: true,
    // Data that are thrown away need no checkpoint: QUIT ends every process of the server at once.
    signal: temporary ? "QUIT" : "INT",
    ...(temporary ? { remove: dir } : {}),
  });
  const log = collect(server.stderr);
  try {
    await untilReady(binDir, port, server.status);
  } catch (error) {
    await server.end();
    await log.done;
    throw new Error(`PostgreSQL did not start on port ${port}: ${(error as Error).message}\n${log.text()}`);
  }
  return { ...server, end: () => server.end().then(() => log.done) };
}

async function initialize(
  binDir: string,
  dir: string,
  temporary: boolean,
  superuser: string,
  password?: string,
): Promise<void> {
  const secret = password === undefined ? null : await Deno.makeTempFile();
  try {
    if (secret !== null) {
      await Deno.writeTextFile(secret, `${password}\n`);
      await giveAway(secret);
    }
    const child = await spawnSupervised(`${binDir}/initdb`, [
      ...["-D", dir, "-U", superuser, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--auth-local=trust"],
      ...(secret === null ? ["--auth-host=trust"] : ["--auth-host=scram-sha-256", `--pwfile=${secret}`]),
    ], { asUnprivileged: true, ...(temporary ? { remove: dir } : {}) });
    const log = collect(child.stderr);
    const { success } = await child.status;
    await child.end();
    await log.done;
    if (!success) throw new Error(`initdb of ${dir} failed:\n${log.text()}`);
  } finally {
    if (secret !== null) await Deno.remove(secret);
  }
}

/** Gives a folder or file to the account of the server; throws when that account cannot reach it. */
async function giveAway(path: string): Promise<void> {
  const account = await unprivileged();
  if (account === null) return;
  await Deno.chown(path, account.uid, account.gid);
  const { success } = await new Deno.Command("setpriv", {
    args: [`--reuid=${account.uid}`, `--regid=${account.gid}`, "--clear-groups", "test", "-r", path],
  }).output();
  if (success) return;
  throw new Error(
    `The database's account (uid ${account.uid}) cannot reach ${path}: PostgreSQL does not run as root. ` +
      "Choose a folder below one that everybody may enter, for example /var/lib or /tmp",
  );
}

/** Ready when pg_isready says so; a server that ended will never be. */
async function untilReady(binDir: string, port: number, ended: Promise<Deno.CommandStatus>): Promise<void> {
  let over = false;
  ended.then(() => over = true);
  const deadline = Date.now() + 60_000;
  while (!over && Date.now() < deadline) {
    const { success } = await new Deno.Command(`${binDir}/pg_isready`, {
      args: ["-q", "-h", "127.0.0.1", "-p", String(port), "-d", "postgres"],
    }).output();
    if (success && !over) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(over ? "the server ended" : "the server was not ready after 60 s");
}

/** Keeps the last few kilobytes of a stream: what a person wants to see when something went wrong. */
function collect(stream: ReadableStream<Uint8Array>): { text(): string; done: Promise<void> } {
  let kept = "";
  const done = (async () => {
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) kept = (kept + chunk).slice(-8000);
  })();
  return { text: () => kept, done };
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function removeFolder(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((error) => {
    // The watch at the server's side may have been quicker.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
