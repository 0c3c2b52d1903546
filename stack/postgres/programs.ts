/** Programs of the machine, run to their end. */

/** Runs a program; returns its standard output. Throws with its own words when it fails or is missing. */
export async function run(program: string, args: string[], cwd?: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    ...(cwd === undefined ? {} : { cwd }),
    env: { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" },
    stdin: "null",
  }).output();
  if (success) return new TextDecoder().decode(stdout);
  throw new Error(`${program} ${args.at(-1)} failed: ${new TextDecoder().decode(stderr).trim()}`);
}

export async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
