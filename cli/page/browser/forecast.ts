/** When Storage will be full, if backups go on growing as they did. */
import type { Run } from "../../project/function_client.ts";

const DAY = 24 * 3600 * 1000;
const LEAST_RUNS = 4;

/**
 * Returns the time, or null where there are too few runs, nothing grows, or it would take more than five years. The
 * growth is the slope of a line through the sizes of the last year's backups, times the number that is kept.
 */
export function forecast(
  runs: readonly Run[],
  { kept, stored, quota }: { kept: number; stored: number; quota: number },
  now: number,
): Date | null {
  const points = runs.filter(({ status, stored_bytes: size, started_at: started }) =>
    status === "succeeded" && size !== null && Date.parse(started) > now - 366 * DAY
  ).map(({ started_at: started, stored_bytes: size }) => [Date.parse(started), size!] as const);
  if (points.length < LEAST_RUNS || stored >= quota) return null;
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [time, size] = [mean(points.map(([time]) => time)), mean(points.map(([, size]) => size))];
  const slope = points.reduce((sum, [at, bytes]) => sum + (at - time) * (bytes - size), 0) /
    points.reduce((sum, [at]) => sum + (at - time) ** 2, 0);
  const left = (quota - stored) / (slope * kept);
  return slope > 0 && left < 5 * 365 * DAY ? new Date(now + left) : null;
}
