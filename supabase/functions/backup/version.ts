/** The version of this release. Function, command line, schema (`backup.version()`) and package have the same. */
export const VERSION = "0.2.0";

/** Sent with every request: what stands before a project may refuse requests that do not say who they are. */
export const USER_AGENT = `supabase-backup/${VERSION}`;

/** Compares versions of three numbers. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number));
  for (let index = 0; index < 3; index++) {
    const difference = (left![index] ?? 0) - (right![index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Returns whether two versions work together: they differ in the last number only. */
export function worksWith(a: string, b: string): boolean {
  const minorOf = (version: string) => version.split(".").slice(0, 2).join(".");
  return minorOf(a) === minorOf(b);
}
