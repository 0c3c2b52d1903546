/** A stranger's Supabase project in a folder, and the command run in it. */
import { fileURLToPath } from "node:url";
import { join } from "node:path";

const MAIN = fileURLToPath(import.meta.resolve("../../cli/main.ts"));

/** What `supabase init` writes, in short, with a comment to keep. */
const CONFIG = `# My project's settings.
project_id = "my-project"

[db]
major_version = 15   # hosted

[functions.hello]
verify_jwt = true
`;

export interface Ran {
  code: number;
  out: string;
  err: string;
}

export interface Folder extends AsyncDisposable {
  root: string;
  read(path: string): Promise<string>;
  write(path: string, text: string): Promise<void>;
  exists(path: string): Promise<boolean>;
  /** Names in supabase/migrations. */
  migrations(): Promise<string[]>;
  /** Runs `supabase-backup …` in the folder. */
  run(args: string[], env?: Record<string, string>): Promise<Ran>;
}

/** Makes a project with these migrations of its own. */
export async function makeFolder(migrations: Record<string, string> = {}): Promise<Folder> {
  const root = await Deno.makeTempDir({ prefix: "project-" });
  const write = async (path: string, text: string) => {
    await Deno.mkdir(join(root, path, ".."), { recursive: true });
    await Deno.writeTextFile(join(root, path), text);
  };
  await write("supabase/config.toml", CONFIG);
  for (const [name, text] of Object.entries(migrations)) await write(`supabase/migrations/${name}`, text);
  return {
    root,
    write,
    read: (path) => Deno.readTextFile(join(root, path)),
    exists: (path) => Deno.stat(join(root, path)).then(() => true, () => false),
    async migrations() {
      const entries = await Array.fromAsync(Deno.readDir(join(root, "supabase/migrations")));
      return entries.map(({ name }) => name).sort();
    },
    run: (args, env = {}) => runCommand(root, args, env),
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

async function runCommand(cwd: string, args: string[], env: Record<string, string>): Promise<Ran> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", MAIN, ...args],
    cwd,
    stdin: "null",
    env: { NO_COLOR: "1", SUPABASE_URL: "", SUPABASE_SECRET_KEY: "", SUPABASE_DB_URL: "", ...env },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}
