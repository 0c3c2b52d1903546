/** The commands as a person runs them, without npm. */
import type { Stack } from "../../stack/stack.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

export interface Answer {
  code: number;
  out: string;
  error: string;
}

/** Runs `cli/COMMAND.ts` for a project, with nobody at a terminal. */
export async function runCli(
  { stack }: { stack: Stack },
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Answer> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `cli/${command}.ts`, ...args],
    cwd: ROOT,
    env: { SUPABASE_URL: stack.apiUrl, SUPABASE_SECRET_KEY: stack.keys.secretKey, NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out!, error: error! };
}
