/**
 * Runs inside a worker's process, before the function: gives it what the hosted runtime gives, takes away what that
 * takes away, and serves its handler. Arguments: port of the runner's control connection, URL of the function's
 * entrypoint, its scratch folder.
 */
import { Worker as ThreadWorker } from "node:worker_threads";
import { type FromRunner, type FromWorker, speak, type UnloadReason } from "./control.ts";

/** Outgoing ports that the platform closes. Taken from Deno's own calls only; node:net does not pass here. */
const CLOSED_PORTS = [25, 587];

const [controlPort, entrypoint, scratch] = Deno.args;
const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(controlPort) });
const control = speak<FromRunner, FromWorker>(connection);

/** Collects all garbage; functions do not have it. */
const { gc: collect } = globalThis as unknown as { gc(): void };

/** Handlers that run and promises of waitUntil() that are pending. */
let active = 0;

function begin(): void {
  if (active++ === 0) control.send({ busy: true });
}

function end(): void {
  if (--active === 0) control.send({ busy: false });
}

function unload(reason: UnloadReason): void {
  if (reason === "early_drop" && active > 0) return control.send({ busy: true });
  dispatchEvent(new CustomEvent("beforeunload", { cancelable: true, detail: { reason } }));
  control.send({ unloaded: reason });
}

async function obey(): Promise<void> {
  for await (const message of control.messages) {
    if ("load" in message) load();
    else if ("collect" in message) collect();
    else unload(message.unload);
  }
  // The runner is gone.
  Deno.exit(1);
}

/** A promise that is rejected ends the worker, as an unhandled rejection does anywhere. */
function waitUntil<T>(promise: T): T {
  if (promise instanceof Promise) {
    begin();
    promise.finally(end);
  }
  return promise;
}

type Handler = (request: Request, info: Deno.ServeHandlerInfo) => Response | Promise<Response>;
type ServeOptions = { handler?: Handler; onError?: (error: unknown) => Response | Promise<Response> };

const serveOnPort = Deno.serve;
let served = false;

/** Deno.serve() with the runner's address in place of the function's own. */
function serve(first: Handler | ServeOptions, second?: Handler): unknown {
  const options = typeof first === "function" ? {} : first;
  const handler = typeof first === "function" ? first : second ?? options.handler;
  if (typeof handler !== "function") throw new TypeError("A handler function must be provided.");
  served = true;
  return serveOnPort({
    hostname: "127.0.0.1",
    port: 0,
    onListen: ({ port }) => control.send({ booted: port }),
    ...(options.onError === undefined ? {} : { onError: options.onError }),
  }, async (request, info) => {
    begin();
    try {
      return await handler(request, info);
    } finally {
      end();
    }
  });
}

function refuseClosedPort(options: unknown): void {
  const { port } = options as { port?: number };
  if (port !== undefined && CLOSED_PORTS.includes(port)) {
    throw new Deno.errors.PermissionDenied(`Outgoing connections to port ${port} are not allowed.`);
  }
}

/** A class that cannot be made. */
function refusing(message: string) {
  return class {
    constructor() {
      throw new Deno.errors.PermissionDenied(message);
    }
  };
}

const { connect, connectTls, makeTempDir, makeTempDirSync, makeTempFile, makeTempFileSync } = Deno;
/** Temporary files in the scratch folder: this machine's /tmp may be closed to the worker. */
const own = (options: Deno.MakeTempOptions = {}) => ({ dir: scratch!, ...options });
Object.assign(Deno, {
  makeTempDir: (options?: Deno.MakeTempOptions) => makeTempDir(own(options)),
  makeTempDirSync: (options?: Deno.MakeTempOptions) => makeTempDirSync(own(options)),
  makeTempFile: (options?: Deno.MakeTempOptions) => makeTempFile(own(options)),
  makeTempFileSync: (options?: Deno.MakeTempOptions) => makeTempFileSync(own(options)),
  serve,
  connect: async (options: Deno.ConnectOptions) => {
    refuseClosedPort(options);
    return await connect(options);
  },
  connectTls: async (options: Deno.ConnectTlsOptions) => {
    refuseClosedPort(options);
    return await connectTls(options);
  },
  Command: refusing("Spawning subprocesses is not allowed on Supabase Edge Runtime."),
});
// V8 does not let it be deleted.
Object.assign(globalThis, { EdgeRuntime: { waitUntil }, gc: undefined });
Reflect.deleteProperty(globalThis, "Worker");
// The class is fixed in its module, but not what its constructor calls as super(). A thread's CPU would go unmetered.
Object.setPrototypeOf(ThreadWorker, refusing("Worker threads are not available."));
// The last ones are a shell's.
for (
  const name of [
    "DENO_DIR",
    "DENO_NO_UPDATE_CHECK",
    "NO_COLOR",
    "PATH",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "_",
  ]
) {
  Deno.env.delete(name);
}

const { promise: mayLoad, resolve: load } = Promise.withResolvers<void>();
obey();
control.send({ ready: true });
await mayLoad;
const { default: declared } = await import(entrypoint!);
if (typeof declared?.fetch === "function") Deno.serve((request) => declared.fetch(request));
if (!served) {
  throw new Error(
    `${entrypoint} neither calls Deno.serve() nor exports default { fetch }. ` +
      "Call it without asking for import.meta.main: that is true for this module only, unlike on the platform",
  );
}
