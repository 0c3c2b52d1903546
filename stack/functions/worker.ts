/**
 * One worker: a process of Deno that serves a function, watched from outside and ended at its limits. One file because
 * a worker is one state machine: what it answers, and how it ends, depends on the same few fields.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  type Control,
  type FromRunner,
  type FromWorker,
  lines,
  speak,
  type UnloadReason,
} from "./control.ts";
import type { DeployedFunction } from "./deploy.ts";
import { aborted, forward, whenRead, within } from "./forward.ts";
import { judge, type Limits, type Policy } from "./limits.ts";
import { Meter } from "./meter.ts";
import type { Processes } from "./processes.ts";
import { type EndReason, WorkerEnded, type WorkerInfo, type WorkerLog } from "./report.ts";

export interface WorkerOptions extends DeployedFunction {
  env: Record<string, string>;
  limits: Limits;
  policy: Policy;
  processes: Processes;
  log: (line: WorkerLog) => void;
}

/** Between two readings: by so much a limit may be overshot. */
const READ_EVERY_MS = 20;
/** Between a broken connection and the news of the process's end. */
const DEATH_MS = 500;
/** For a worker to dispatch `beforeunload` when the runner stops: one in an endless loop never does. */
const DISPATCH_MS = 5_000;
/** For work that is under way then. */
const TERMINATION_GRACE_MS = 1_000;
/** The platform's longest log message. */
const LONGEST_MESSAGE = 10_000;

/**
 * Options of `deno run`: packages come from the deployment, and as in the hosted runtime there is no subprocess and no
 * foreign library.
 */
function permissions(folder: string, scratch: string): string[] {
  const config = join(folder, "deno.json");
  return [
    ...(existsSync(config) ? ["--config", config] : ["--no-config"]),
    "--node-modules-dir=manual",
    "--no-lock",
    "--no-prompt",
    "--quiet",
    "--allow-env",
    "--allow-net",
    "--allow-sys=hostname",
    `--allow-read=${[folder, scratch, "/tmp"].join(",")}`,
    `--allow-write=${scratch},/tmp`,
  ];
}

export class Worker {
  /** Resolves when the process is gone. */
  readonly ended: Promise<EndReason>;
  readonly #id = crypto.randomUUID();
  readonly #options: WorkerOptions;
  readonly #process: Deno.ChildProcess;
  readonly #meter: Meter;
  readonly #booted: Promise<void>;
  readonly #reader: ReturnType<typeof setInterval>;
  #control: Control<FromWorker, FromRunner> | null = null;
  #port: number | null = null;
  #bootMs = 0;
  #bootCpuMs = 0;
  #requests = 0;
  #inFlight = 0;
  /** The worker's own word: handlers or promises of waitUntil() are pending. */
  #busy = false;
  #retired = false;
  #draining = false;
  #terminating = false;
  #unloaded = Promise.withResolvers<true>();
  /** A stop waits for what is under way, no longer for `beforeunload`. */
  #mayEnd = false;
  #warned = new Set<UnloadReason>();
  #idle: ReturnType<typeof setTimeout> | undefined;
  #outOfMemory = false;
  #reason: EndReason | null = null;
  #gone = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    const { processes, folder, env, limits } = options;
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#process = processes.spawn(
      [
        "run",
        ...permissions(folder, processes.scratch),
        ...(processes.authority === null ? [] : [`--cert=${processes.authority}`]),
        `--v8-flags=--expose-gc,--max-old-space-size=${Math.ceil(limits.memoryBytes / 2 ** 20)}`,
        join(folder, "bootstrap.js"),
        String(listener.addr.port),
        pathToFileURL(join(folder, "index.js")).href,
        processes.scratch,
      ],
      { ...env, SB_EXECUTION_ID: this.#id },
      folder,
    );
    const logs = [this.#pass("info", this.#process.stdout), this.#pass("error", this.#process.stderr)];
    this.#meter = new Meter(this.#process.pid);
    this.#reader = setInterval(() => this.#read(), READ_EVERY_MS);
    this.ended = this.#process.status.then((status) => this.#end(status, logs));
    this.#booted = this.#boot(listener);
    // Its failure is the caller's; one without a caller may fail unheard.
    this.#booted.catch(() => {});
  }

  info(): WorkerInfo {
    const state = this.#gone
      ? "ended"
      : this.#retired
      ? "retired"
      : this.#port === null
      ? "booting"
      : "serving";
    return {
      id: this.#id,
      function: this.#options.name,
      pid: this.#process.pid,
      state,
      ended: this.#gone ? this.#reason : null,
      requests: this.#requests,
      bootMs: this.#bootMs,
      bootCpuMs: this.#bootCpuMs,
      cpuMs: this.#port === null ? 0 : this.#meter.mostCpuMs,
      peakMemoryBytes: this.#meter.peakMemoryBytes,
      wallMs: this.#meter.wallMs,
    };
  }

  /** Name of its function. */
  get of(): string {
    return this.#options.name;
  }

  /** Returns whether it takes another request. */
  takes(): boolean {
    if (this.#reason !== null || this.#retired || this.#draining || this.#terminating) return false;
    switch (this.#options.policy) {
      case "per_worker":
        return true;
      case "per_request":
        return this.#inFlight === 0;
      case "oneshot":
        return this.#requests === 0;
    }
  }

  /** Passes a request on. Throws WorkerEnded, or the signal's reason when that is quicker. */
  async fetch(request: Request, signal: AbortSignal): Promise<Response> {
    this.#requests++;
    this.#inFlight++;
    clearTimeout(this.#idle);
    const done = () => {
      this.#inFlight--;
      this.#settle();
    };
    try {
      await Promise.race([this.#booted, aborted(signal)]);
      if (this.#options.policy !== "per_worker") this.#meter.renew();
      return whenRead(await forward(request, this.#port!, signal), done);
    } catch (error) {
      done();
      if (signal.aborted || error instanceof WorkerEnded) throw error;
      // The connection broke: the process has ended or is about to.
      const reason = await within(this.ended, DEATH_MS);
      throw reason === null ? error : new WorkerEnded(reason);
    }
  }

  /** SIGKILL, now. False when it had ended. */
  async kill(reason: EndReason = "killed"): Promise<boolean> {
    const ended = this.#gone;
    this.#kill(reason);
    await this.ended;
    return !ended;
  }

  /** Dispatches `beforeunload`, gives work that is under way a moment to end, and kills. */
  async terminate(): Promise<void> {
    this.#terminating = true;
    this.#control?.send({ unload: "termination" });
    if (
      this.#port !== null && await within(Promise.race([this.#unloaded.promise, this.ended]), DISPATCH_MS)
    ) {
      this.#mayEnd = true;
      this.#settle();
      await within(this.ended, TERMINATION_GRACE_MS);
    }
    await this.kill("termination");
  }

  async #boot(listener: Deno.TcpListener): Promise<void> {
    const died = this.ended.then((reason) => Promise.reject(new WorkerEnded(reason)));
    try {
      const connection = await Promise.race([listener.accept(), died]);
      this.#control = speak(connection);
    } finally {
      listener.close();
    }
    const { promise: booted, resolve } = Promise.withResolvers<void>();
    this.#listen(this.#control, resolve);
    await Promise.race([booted, died]);
  }

  async #listen(control: Control<FromWorker, FromRunner>, booted: () => void): Promise<void> {
    for await (const message of control.messages) {
      if ("ready" in message) {
        this.#bootCpuMs = this.#meter.renew();
        this.#meter.mostCpuMs = 0;
        control.send({ load: true });
      } else if ("booted" in message && this.#port === null) {
        this.#port = message.booted;
        this.#bootMs = this.#meter.wallMs;
        this.#log(`booted (time: ${this.#bootMs.toFixed()}ms, CPU: ${this.#bootCpuMs.toFixed()}ms)`);
        booted();
      } else if ("busy" in message) {
        this.#busy = message.busy;
        if (message.busy) this.#draining = false;
      } else if ("unloaded" in message && message.unloaded === "early_drop") {
        this.#kill("early_drop");
      } else if ("unloaded" in message && message.unloaded === "termination") {
        this.#unloaded.resolve(true);
      }
      this.#settle();
    }
  }

  /** Reads what the process uses and acts on it. */
  #read(): void {
    const usage = this.#meter.read();
    if (usage === null) return;
    const { over, near, retire } = judge(usage, this.#options.limits);
    if (over !== null) return this.#kill(over);
    if (this.#port === null) return;
    for (const limit of near) {
      if (this.#warned.has(limit)) continue;
      this.#warned.add(limit);
      this.#control?.send({ unload: limit });
    }
    if (retire && !this.#retired) {
      this.#retired = true;
      this.#control?.send({ collect: true });
      this.#settle();
    }
  }

  /** Decides what comes next for a worker that has nothing to do. */
  #settle(): void {
    clearTimeout(this.#idle);
    if (this.#port === null || this.#inFlight > 0 || this.#busy || this.#draining || this.#gone) return;
    if (this.#mayEnd) return this.#kill("termination");
    const drain = () => {
      this.#draining = true;
      this.#control?.send({ unload: "early_drop" });
    };
    if (this.#retired || (this.#options.policy === "oneshot" && this.#requests > 0)) return drain();
    this.#idle = setTimeout(drain, this.#options.limits.idleMs);
  }

  #kill(reason: EndReason): void {
    if (this.#gone) return;
    this.#reason ??= reason;
    try {
      this.#process.kill("SIGKILL");
    } catch (error) {
      // It has ended by itself this very moment.
      if (!(error instanceof TypeError)) throw error;
    }
  }

  async #end(status: Deno.CommandStatus, logs: Promise<void>[]): Promise<EndReason> {
    clearInterval(this.#reader);
    this.#control?.close();
    await Promise.all(logs);
    this.#reason ??= this.#outOfMemory ? "memory" : this.#port === null ? "boot_error" : "crash";
    this.#gone = true;
    clearTimeout(this.#idle);
    const { mostCpuMs, peakMemoryBytes, wallMs } = this.#meter;
    this.#log(
      `shutdown (reason: ${this.#reason}, exit code: ${status.code}, CPU: ${mostCpuMs.toFixed()}ms, ` +
        `memory: ${(peakMemoryBytes / 2 ** 20).toFixed()}MiB, wall clock: ${wallMs.toFixed()}ms)`,
    );
    return this.#reason;
  }

  async #pass(level: "info" | "error", stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const line of lines(stream)) {
      if (level === "error" && /JavaScript heap out of memory|Fatal JavaScript out of memory/.test(line)) {
        this.#outOfMemory = true;
      }
      this.#log(line.slice(0, LONGEST_MESSAGE), level);
    }
  }

  #log(message: string, level: WorkerLog["level"] = "runtime"): void {
    this.#options.log({ worker: this.#id, function: this.#options.name, level, message });
  }
}
