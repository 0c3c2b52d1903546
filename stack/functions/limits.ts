/**
 * What a hosted worker may use, from Supabase's page "Limits" (free plan) and, where that is silent, from the public
 * source of supabase/edge-runtime (crates/base/src/worker/supervisor).
 */
export interface Limits {
  /** CPU time of the isolate's thread in milliseconds; the worker is killed there. */
  cpuMs: number;
  /** Memory in bytes; the worker is killed there. */
  memoryBytes: number;
  /** Life of a worker in milliseconds, from its start. */
  wallClockMs: number;
  /** Time to the first byte of a response in milliseconds; the caller gets 504 after it. */
  responseMs: number;
  /** Bytes of the function's own files. */
  bundleBytes: number;
  /** A worker without work ends after this many milliseconds; it is the stack's own figure. */
  idleMs: number;
}

export const HOSTED_LIMITS: Limits = {
  cpuMs: 2_000,
  memoryBytes: 256 * 1024 * 1024,
  wallClockMs: 150_000,
  responseMs: 150_000,
  bundleBytes: 20 * 1024 * 1024,
  idleMs: 15_000,
};

/** A worker that has used this share of CPU or wall clock takes no further request and ends when it is idle. */
const RETIRE_SHARE = 0.5;

/** `beforeunload` is dispatched at this share of a limit. */
const WARN_SHARE = 0.9;

/** How requests share workers, in the runtime's own three words. */
export type Policy =
  /** Requests of a function share its worker and its budget of CPU until it is retired: the runtime's default. */
  | "per_worker"
  /** A worker serves one request at a time and the budget of CPU starts anew with each. */
  | "per_request"
  /** A worker serves one request. */
  | "oneshot";

/** What a worker has used, in the units of Limits. */
export interface Usage {
  cpuMs: number;
  memoryBytes: number;
  wallMs: number;
}

/** The limits that end a worker, by the names that `beforeunload` gives its reasons. */
export type Limited = "cpu" | "memory" | "wall_clock";

export interface Verdict {
  /** The limit that is reached: the worker has to be killed. */
  over: Limited | null;
  /** The limits that are nearly reached. */
  near: Limited[];
  /** The worker takes no further request. */
  retire: boolean;
}

/** Judges what a worker has used. */
export function judge(usage: Usage, limits: Limits): Verdict {
  const shares: [Limited, number][] = [
    ["cpu", usage.cpuMs / limits.cpuMs],
    ["memory", usage.memoryBytes / limits.memoryBytes],
    ["wall_clock", usage.wallMs / limits.wallClockMs],
  ];
  const beyond = (share: number) => shares.filter(([, used]) => used >= share).map(([limit]) => limit);
  return {
    over: beyond(1)[0] ?? null,
    near: beyond(WARN_SHARE),
    retire: beyond(RETIRE_SHARE).some((limit) => limit !== "memory"),
  };
}
