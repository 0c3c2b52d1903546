/**
 * Runs the steps of a GitHub workflow as its runner does: what `run` says, by bash, one after the other until one
 * fails.
 */
import { parse } from "yaml";

export interface Step {
  name?: string;
  uses?: string;
  run?: string;
  if?: string;
  env?: Record<string, string>;
}

export interface Workflow {
  on: { schedule?: { cron: string }[]; push?: { branches: string[]; paths: string[] } };
  permissions: Record<string, string>;
  jobs: Record<string, { steps: Step[]; "timeout-minutes": number }>;
}

export interface StepRan {
  /** What stands first in `run`. */
  line: string;
  code: number;
  text: string;
}

export async function readWorkflow(path: string): Promise<Workflow> {
  return parse(await Deno.readTextFile(path)) as Workflow;
}

/** Returns what each step of the only job did; after a failure only those that are `always()` run. */
export async function runSteps(
  workflow: Workflow,
  { cwd, env, secrets }: { cwd: string; env: Record<string, string>; secrets: Record<string, string> },
): Promise<StepRan[]> {
  const [job] = Object.values(workflow.jobs);
  const ran: StepRan[] = [];
  for (const step of job!.steps) {
    if (step.run === undefined) continue;
    if (ran.some(({ code }) => code !== 0) && step.if !== "always()") continue;
    const own = Object.entries(step.env ?? {}).map(([name, value]) => [
      name,
      value.replace(/\$\{\{ secrets\.(\w+) \}\}/g, (_, secret) => secrets[secret] ?? ""),
    ]);
    const { code, stdout, stderr } = await new Deno.Command("bash", {
      // As the runner calls it.
      args: ["--noprofile", "--norc", "-eo", "pipefail", "-c", step.run],
      cwd,
      env: { NO_COLOR: "1", ...Object.fromEntries(own), ...env },
      stdin: "null",
    }).output();
    const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
    ran.push({ line: step.run.split("\n")[0]!, code, text });
  }
  return ran;
}
