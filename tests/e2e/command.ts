/** The commands as a person runs them, without npm. */
import type { Stack } from "../../stack/stack.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);

export interface Answer {
  code: number;
  out: string;
  error: string;
}

/** Runs a command for a project, without a terminal; `command` may be two words. */
export async function runCli(
  { stack }: { stack: Stack },
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Answer> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      "cli/main.ts",
      ...command.split(" ").filter((word) => word !== ""),
      ...args,
    ],
    cwd: ROOT,
    env: { SUPABASE_URL: stack.apiUrl, SUPABASE_SECRET_KEY: stack.keys.secretKey, NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out!, error: error! };
}
