/** Reads from the system what a worker's process uses. */
import type { Usage } from "./limits.ts";

interface Reading {
  /** CPU time of the isolate's thread since the process started, in milliseconds. */
  cpuMs: number;
  memoryBytes: number;
}

/**
 * Reads a Deno process; null when it has ended.
 *
 * CPU is that of the main thread, on which Deno runs its isolate: hosted meters the isolate's thread too, so V8's own
 * threads (garbage collection, compilation) count here as little as there. Memory is the process's resident anonymous
 * memory: heap, buffers, and garbage that V8 has not given back. The file-backed pages of the Deno binary, some 45 MB,
 * are left out, because hosted counts the isolate's heap and external memory only. A bare worker reads 13 MB here where
 * hosted counts 10, and garbage waiting for its collection is counted here and not there: what fits here fits hosted.
 */
function readProcess(pid: number): Reading | null {
  try {
    const cpu = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/schedstat`);
    const anonymous = /^RssAnon:\s*(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`));
    // A process that has ended and is not yet waited for has no memory any more.
    if (anonymous === null) return null;
    return { cpuMs: parseInt(cpu) / 1e6, memoryBytes: Number(anonymous[1]) * 1024 };
  } catch (error) {
    // ESRCH: it ended between open and read.
    if (error instanceof Deno.errors.NotFound || (error as { code?: string }).code === "ESRCH") return null;
    throw error;
  }
}

/** Counts what a process uses, its CPU by budgets that can be begun anew. */
export class Meter {
  /** CPU of the largest budget so far. */
  mostCpuMs = 0;
  peakMemoryBytes = 0;
  wallMs = 0;
  readonly #pid: number;
  readonly #started = performance.now();
  #budgetFromMs = 0;

  constructor(pid: number) {
    this.#pid = pid;
  }

  /** Returns what is used now, of the present budget; null when the process has ended. */
  read(): Usage | null {
    this.wallMs = performance.now() - this.#started;
    const reading = readProcess(this.#pid);
    if (reading === null) return null;
    const cpuMs = reading.cpuMs - this.#budgetFromMs;
    this.mostCpuMs = Math.max(this.mostCpuMs, cpuMs);
    this.peakMemoryBytes = Math.max(this.peakMemoryBytes, reading.memoryBytes);
    return { cpuMs, memoryBytes: reading.memoryBytes, wallMs: this.wallMs };
  }

  /** Begins a new budget of CPU; returns what the one before it used. */
  renew(): number {
    const used = this.read()?.cpuMs ?? 0;
    this.#budgetFromMs += used;
    return used;
  }
}
