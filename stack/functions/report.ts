/** What is told of a worker. */
import type { UnloadReason } from "./control.ts";

/** Why a worker ended: one of the runtime's own reasons, or what no function can foresee. */
export type EndReason = UnloadReason | "boot_error" | "crash" | "killed";

export interface WorkerInfo {
  /** The function sees it as `SB_EXECUTION_ID`. */
  id: string;
  function: string;
  pid: number;
  state: "booting" | "serving" | "retired" | "ended";
  /** Null while it lives. */
  ended: EndReason | null;
  /** Requests that it was given. */
  requests: number;
  /** From the start of the process until the function served. */
  bootMs: number;
  /** CPU of the isolate's thread until the function's modules were loaded, which does not count. */
  bootCpuMs: number;
  /**
   * CPU counted against the limit, from the evaluation of the function's modules on; where each request has its own
   * budget, that of the largest.
   */
  cpuMs: number;
  /** The most memory that was seen, counted as in meter.ts. */
  peakMemoryBytes: number;
  wallMs: number;
}

export interface WorkerLog {
  /** Id of the worker; empty when none was started. */
  worker: string;
  function: string;
  /** `info` and `error`: the function's standard output and error; `runtime`: what the runner did with the worker. */
  level: "info" | "error" | "runtime";
  message: string;
}

/** The request's worker ended before it answered. */
export class WorkerEnded extends Error {
  constructor(readonly reason: EndReason) {
    super(`the worker ended: ${reason}`);
  }
}
