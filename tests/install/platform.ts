/** A project in the stack to which a folder is deployed, by the Supabase CLI or by what stands in for it. */
import { join } from "node:path";
import postgres, { type Sql } from "postgres";
import { projectConfig } from "../../stack/config.ts";
import { functionEnv } from "../../stack/functions/env.ts";
import { type Functions, startFunctions } from "../../stack/functions/functions.ts";
import { type Stack, type StackOptions, startStack } from "../../stack/stack.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);

export interface Platform extends AsyncDisposable {
  stack: Stack;
  /** Role postgres. */
  sql: Sql;
  /** Sees each request of the project first, as StackOptions.intercept. */
  fault: ((request: Request) => Promise<Response | null> | Response | null) | null;
  /** Environment of a person who works with this project: the stand-in comes first on the PATH. */
  env: Record<string, string>;
  /** What the stand-in was called with. */
  calls: string[];
  /** `supabase functions deploy backup` in a folder. Requests go to the new function from now on. */
  deploy(folder: string): Promise<void>;
  /** Ends all isolates, as the platform may at any time. */
  endWorkers(): Promise<void>;
}

/** Starts a project without migrations and functions. */
export async function startPlatform(options: StackOptions = {}): Promise<Platform> {
  const dir = await Deno.makeTempDir({ prefix: "platform-" });
  await Deno.mkdir(join(dir, "none"));
  const deployed: Functions[] = [];
  let current: Functions | null = null;

  const answer = async (request: Request): Promise<Response | null> => {
    const fault = await platform.fault?.(request) ?? null;
    const { pathname, search } = new URL(request.url);
    const path = /^\/functions\/v1(\/.*)/.exec(pathname)?.[1];
    if (fault !== null || path === undefined || current === null) return fault;
    const headers = new Headers(request.headers);
    headers.delete("accept-encoding");
    const { method, body } = request;
    return await fetch(current.url + path + search, { method, headers, body, redirect: "manual" });
  };
  const stack = await startStack({
    ...options,
    migrate: false,
    functionsDir: join(dir, "none"),
    intercept: (request) => answer(request),
  });
  const sql = postgres(stack.databaseUrl, { max: 1, onnotice: () => {} });

  const deploy = async (folder: string) => {
    const { verifyJwt } = await projectConfig(join(folder, "supabase/config.toml"));
    const place = join(dir, `deployment-${deployed.length}`);
    await copyFolder(join(folder, "supabase/functions/backup"), join(place, "backup"));
    // The platform downloads the packages that deno.json names. Releases of before run with the versions that are here.
    await Deno.copyFile(`${ROOT}supabase/functions/backup/deno.json`, join(place, "backup/deno.json"));
    await Deno.symlink(`${ROOT}node_modules`, join(place, "node_modules"));
    const { apiUrl: url, databaseUrl, keys } = stack;
    current = await startFunctions({
      functionsDir: place,
      verifyJwt,
      jwtSecret: keys.jwtSecret,
      env: functionEnv({ url, databaseUrl, keys }),
    });
    deployed.push(current);
  };

  const calls: string[] = [];
  const control = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const [folder, ...args] = (await request.text()).split("\n");
    calls.push(args.join(" ").replace(stack.databaseUrl, "DATABASE").trim());
    try {
      if (request.method === "PUT") await deploy(folder!);
      if (request.method === "DELETE") current = null;
      return new Response("");
    } catch (error) {
      return new Response(`${(error as Error).message}\n`, { status: 500 });
    }
  });
  await Deno.mkdir(join(dir, "bin"));
  await Deno.writeTextFile(
    join(dir, "bin/supabase"),
    standIn(`http://127.0.0.1:${control.addr.port}`, stack.databaseUrl),
    { mode: 0o755 },
  );

  const platform: Platform = {
    stack,
    sql,
    calls,
    deploy,
    fault: null,
    async endWorkers() {
      for (const functions of deployed) {
        await Promise.all(functions.workers().map(({ id }) => functions.kill(id)));
      }
    },
    env: {
      PATH: `${join(dir, "bin")}:${Deno.env.get("PATH")}`,
      SUPABASE_URL: stack.apiUrl,
      SUPABASE_SECRET_KEY: stack.keys.secretKey,
    },
    async [Symbol.asyncDispose]() {
      await sql.end({ timeout: 1 });
      await control.shutdown();
      await Promise.all(deployed.map((functions) => functions.stop()));
      await stack.stop();
      await Deno.remove(dir, { recursive: true });
    },
  };
  return platform;
}

/** Only what needs an account of the platform is replaced; everything else is the CLI's own. */
function standIn(control: string, databaseUrl: string): string {
  return `#!/bin/sh
tell() {
  curl --silent --show-error --fail-with-body -X "$1" --data-binary "$PWD
$line" ${control}
}
line="$*"
export PGSSLMODE=disable
case "$1 $2" in
"functions deploy") tell PUT ;;
"functions delete") tell DELETE ;;
"db push")
  tell POST
  case "$line" in
  *--remote=*) exec ${ROOT}node_modules/.bin/supabase "$@" ;;
  *) exec ${ROOT}node_modules/.bin/supabase db push --yes "--remote=${databaseUrl}" ;;
  esac ;;
*) exec ${ROOT}node_modules/.bin/supabase "$@" ;;
esac
`;
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(join(from, name), join(to, name));
    else await Deno.copyFile(join(from, name), join(to, name));
  }
}
