/** A PostgreSQL cluster of our own: made in a moment, gone without a trace. */
import { installPostgres } from "./install.ts";
import { makeServer, type OwnExtensions } from "./own_extensions.ts";
import { freePort } from "./port.ts";
import { exists } from "./programs.ts";
import { giveAway } from "./ownership.ts";
import { spawnSupervised, type Supervised } from "./supervised.ts";
import { copyTemplate } from "./templates.ts";

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
  /** The data need not survive a crash of the machine, so nothing waits for the disk; true without `dir`. */
  throwAway?: boolean;
  /**
   * What a new cluster is to hold: where temporary clusters may be copies, the first one with this `key` is made by
   * `make`, and the others are copied from it. Without it they are as `initdb` makes them.
   */
  template?: { key: string[]; make: (dir: string) => Promise<void> };
  /** Extensions of this cluster beside those of the machine. */
  extensions?: OwnExtensions;
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

/**
 * Folder of temporary clusters, in memory for example. Where it is named they are copies of each other, with one system
 * identifier.
 */
const CLUSTERS = Deno.env.get("STACK_CLUSTERS");

const THROW_AWAY = {
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  // initdb takes 64 segments, which are small here.
  max_wal_size: "1GB",
};

/** Another process may take a free port before the server does. */
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
  const { throwAway = temporary, password } = options;
  const dir = temporary
    ? await Deno.makeTempDir({ prefix: "cluster-", ...(CLUSTERS ? { dir: CLUSTERS } : {}) })
    : await Deno.realPath(options.dir!);
  try {
    await giveAway(dir);
    if (!await exists(`${dir}/PG_VERSION`)) {
      const initialize = (dir: string) =>
        runInitdb({ binDir, dir, temporary, throwAway, superuser, password });
      // Without a password one new cluster is as good as another.
      const {
        template = password === undefined ? { key: ["initdb", binDir, superuser], make: initialize } : null,
      } = options;
      if (temporary && CLUSTERS && template) await copyTemplate(CLUSTERS, template.key, dir, template.make);
      else await initialize(dir);
    }
    const program = options.extensions
      ? await makeServer(binDir, dir, options.extensions)
      : `${binDir}/postgres`;
    for (let tried = 1;; tried++) {
      const port = options.port ?? freePort();
      try {
        const settings = { ...(throwAway ? THROW_AWAY : {}), ...options.settings };
        const server = await startServer(program, dir, port, temporary, settings);
        const secret = password === undefined ? "" : `:${encodeURIComponent(password)}`;
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

/** Returns once the server takes connections. */
async function startServer(
  program: string,
  dir: string,
  port: number,
  temporary: boolean,
  further: Record<string, string>,
): Promise<Supervised> {
  const settings = {
    listen_addresses: "127.0.0.1",
    port: String(port),
    unix_socket_directories: dir,
    ...further,
  };
  // A server that was killed has left its file.
  const left = await pidFile(dir);
  const args = Object.entries(settings)
    .flatMap(([name, value]) => ["-c", `${name}=${value.replaceAll("$dir", dir)}`]);
  const server = await spawnSupervised(program, ["-D", dir, ...args], {
    asUnprivileged: true,
    bare: true,
    // Data that are thrown away need no checkpoint: QUIT ends every process of the server at once.
    signal: temporary ? "QUIT" : "INT",
    ...(temporary ? { remove: dir } : {}),
  });
  const log = collect(server.stderr);
  try {
    await untilReady(async () => {
      const text = await pidFile(dir);
      return text !== left && /^ready\s*$/m.test(text);
    }, server.status);
  } catch (error) {
    await server.end();
    await log.done;
    throw new Error(`PostgreSQL did not start on port ${port}: ${(error as Error).message}\n${log.text()}`);
  }
  return { ...server, end: () => server.end().then(() => log.done) };
}

interface NewCluster {
  binDir: string;
  dir: string;
  temporary: boolean;
  throwAway: boolean;
  superuser: string;
  password: string | undefined;
}

async function runInitdb(
  { binDir, dir, temporary, throwAway, superuser, password }: NewCluster,
): Promise<void> {
  const secret = password === undefined ? null : await Deno.makeTempFile();
  try {
    await giveAway(dir);
    if (secret !== null) {
      await Deno.writeTextFile(secret, `${password}\n`);
      await giveAway(secret);
    }
    const child = await spawnSupervised(`${binDir}/initdb`, [
      `--pgdata=${dir}`,
      `--username=${superuser}`,
      "--encoding=UTF8",
      "--locale=C.UTF-8",
      "--no-sync",
      "--auth-local=trust",
      ...(secret === null ? ["--auth-host=trust"] : ["--auth-host=scram-sha-256", `--pwfile=${secret}`]),
      // A smaller first segment of the log: less to make and to copy.
      ...(throwAway ? ["--wal-segsize=1"] : []),
    ], { asUnprivileged: true, bare: true, ...(temporary ? { remove: dir } : {}) });
    const log = collect(child.stderr);
    const { success } = await child.status;
    await child.end();
    await log.done;
    if (!success) throw new Error(`initdb of ${dir} failed:\n${log.text()}`);
  } finally {
    if (secret !== null) await Deno.remove(secret);
  }
}

/** Throws when the server ends first, or is not ready within a minute. */
async function untilReady(
  isReady: () => Promise<boolean>,
  ended: Promise<Deno.CommandStatus>,
): Promise<void> {
  let over = false;
  ended.then(() => over = true);
  const deadline = Date.now() + 60_000;
  while (!over && Date.now() < deadline) {
    if (await isReady() && !over) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(over ? "the server ended" : "the server was not ready after 60 s");
}

/**
 * Returns what the server writes of itself; empty while it has not. Reading it costs less than asking with a program.
 */
async function pidFile(dir: string): Promise<string> {
  return await Deno.readTextFile(`${dir}/postmaster.pid`).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  });
}

/** Keeps the last few kilobytes of a stream: what a person wants to see when something went wrong. */
function collect(stream: ReadableStream<Uint8Array>): { text(): string; done: Promise<void> } {
  let kept = "";
  const done = (async () => {
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) kept = (kept + chunk).slice(-8000);
  })();
  return { text: () => kept, done };
}

async function removeFolder(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((error) => {
    // The watch at the server's side may have been quicker.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
