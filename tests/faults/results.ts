/**
 * What became of each fault, kept while the tests run: `RELIABILITY_RESULTS=FILE npm run test:all` appends a line of
 * JSON for each case, of which matrix.ts makes docs/reliability.md. Without the variable nothing is written.
 */
import type { Run } from "../e2e/project.ts";

export interface Result {
  /** File of the test, from the repository's root. */
  test: string;
  /** Name of its step: what happens, and when. */
  case: string;
  /** Workers at a time, where a case is tried with several numbers of them. */
  workers: number | null;
  status: string | null;
  attempt: number | null;
  errorCode: string | null;
  /** Codes that backup.health alarms with at that time. */
  alarms: string[];
  /** What else the test has seen to be true. */
  then: string;
}

/** Says what became of a case. `test` is the test file's `import.meta.url`. */
export function record(
  test: string,
  name: string,
  run: Run | null,
  facts: { workers?: number; alarms?: string[]; then: string },
): void {
  write({
    test: nameOf(test),
    case: name,
    workers: facts.workers ?? null,
    status: run?.status ?? null,
    attempt: run?.attempt ?? null,
    errorCode: run?.error_code ?? null,
    alarms: facts.alarms ?? [],
    then: facts.then,
  });
}

/** The same of a restore or a drill inside the project. */
export function recordRestore(
  test: string,
  name: string,
  { status, error_code: errorCode }: { status: string; error_code: string | null },
  then: string,
): void {
  write({
    test: nameOf(test),
    case: name,
    workers: null,
    status,
    attempt: null,
    errorCode,
    alarms: [],
    then,
  });
}

function nameOf(test: string): string {
  return test.slice(test.indexOf("/tests/") + 1);
}

function write(result: Result): void {
  const path = Deno.env.get("RELIABILITY_RESULTS");
  if (path !== undefined) Deno.writeTextFileSync(path, JSON.stringify(result) + "\n", { append: true });
}
