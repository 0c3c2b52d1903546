/** The command at a terminal, which `script` makes, and a person who answers its questions. */
const MAIN = decodeURIComponent(new URL("../../cli/main.ts", import.meta.url).pathname);

export type Answers = [question: RegExp, answer: string][];

/** Runs `supabase-backup …` there. Each answer is typed when its question is there. */
export async function atTerminal(
  args: string[],
  answers: Answers,
  env: Record<string, string>,
  cwd = Deno.cwd(),
): Promise<{ code: number; shown: string; unasked: string[] }> {
  const command = [Deno.execPath(), "run", "-A", "--no-check", MAIN, ...args];
  const child = new Deno.Command("script", {
    args: ["-qfec", command.map((word) => `'${word}'`).join(" "), "/dev/null"],
    cwd,
    env: { NO_COLOR: "1", TERM: "xterm", ...env },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const left = [...answers];
  let shown = "";
  let from = 0;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    shown += text;
    const found = left[0]?.[0].exec(shown.slice(from));
    if (!found) continue;
    from += found.index + found[0].length;
    await writer.write(new TextEncoder().encode(`${left.shift()![1]}\n`));
  }
  await writer.close().catch(() => {});
  const { code } = await child.status;
  return { code, shown, unasked: left.map(([question]) => String(question)) };
}
