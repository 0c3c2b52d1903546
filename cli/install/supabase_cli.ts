/** Runs the Supabase CLI in a project's folder. */
import { join } from "node:path";
import { CommandError } from "../terminal/errors.ts";
import { say } from "../terminal/output.ts";
import { colors } from "../terminal/style.ts";

/** Runs `supabase …` and shows what it says. Throws CommandError when it fails or is not there. */
export async function runSupabase(root: string, args: string[], shown = args): Promise<void> {
  const { program } = await findSupabase(root);
  say(colors.bold(`▸ supabase ${shown.join(" ")}`));
  const child = new Deno.Command(program, {
    args: [...args, "--yes"],
    cwd: root,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await Promise.all([child.stdout, child.stderr].map(async (stream) => {
    for await (const line of stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())) {
      say(`  ${line}`);
    }
  }));
  const { success, code } = await child.status;
  if (success) return;
  throw new CommandError(
    `\`supabase ${shown.join(" ")}\` failed with exit code ${code}`,
    "Its own message stands above. Correct the cause, and run the command again: what is done already is not done twice.",
  );
}

/** Returns the command that migrates the linked project, as the CLI of this folder takes it. */
export async function pushCommand(root: string): Promise<string> {
  return ["supabase db push", ...await targetOptions(root, undefined).catch(() => [])].join(" ");
}

/**
 * Returns the options that name the linked project, or a database by its URL. From version 3 on the CLI takes the
 * database on this machine where nothing is named.
 */
export async function targetOptions(root: string, url: string | undefined): Promise<string[]> {
  const { major } = await findSupabase(root);
  if (major >= 3) return [url === undefined ? "--remote" : `--remote=${url}`];
  return url === undefined ? [] : [`--db-url=${url}`];
}

interface Found {
  program: string;
  major: number;
}

/** By project: the CLI takes more than a second to say its version. */
const found = new Map<string, Promise<Found>>();

function findSupabase(root: string): Promise<Found> {
  const known = found.get(root) ?? lookForSupabase(root);
  found.set(root, known);
  return known;
}

/** The project's own one comes first. */
async function lookForSupabase(root: string): Promise<Found> {
  for (const program of [join(root, "node_modules/.bin/supabase"), "supabase"]) {
    try {
      const { stdout } = await new Deno.Command(program, { args: ["--version"], cwd: root, stderr: "null" })
        .output();
      return { program, major: parseInt(new TextDecoder().decode(stdout).replace(/^\D+/, "")) };
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new CommandError(
    "The Supabase CLI is not installed",
    "Install it (`npm install --save-dev supabase`), log in with `supabase login`, and link the project with `supabase link`.",
  );
}

/** Cuts text into lines. */
class TextLineStream extends TransformStream<string, string> {
  constructor() {
    let rest = "";
    super({
      transform(text, controller) {
        const lines = (rest + text).split("\n");
        rest = lines.pop()!;
        lines.forEach((line) => controller.enqueue(line));
      },
      flush: (controller) => rest === "" ? undefined : controller.enqueue(rest),
    });
  }
}
