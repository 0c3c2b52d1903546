/** `npm run stack`: keeps a project up until it is told to end. */
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { untilParentDies } from "./parent.ts";
import { OLDEST_MAJOR } from "./postgres/binaries.ts";
import { usePostgres, useUsualPostgres } from "./postgres/install.ts";
import { keptMajor, startStack } from "./stack.ts";
import { publishStatus, renderStatus, STATUS_FILE } from "./status.ts";

const USAGE = `Usage: npm run stack -- [options]

Starts this project without Docker: PostgreSQL, Storage, Edge Functions and one gateway before them, on 127.0.0.1.
Applies the migrations, loads examples/theatre, prints URLs and keys, and runs until Ctrl-C.

Options:
  --keep DIR       keep database, files and keys in DIR for the next start
  --port N         port of the gateway (a free one without it)
  --db-port N      port of the database (a free one without it)
  --functions DIR  functions of another project than this one's supabase/functions
  --postgres N     major version of the server, 15 to 18; without it that of the folder kept, else 17 as new projects
                   have it, else the machine's own. 17 and 18 are downloaded where the machine has Debian's apt; 16 is
                   in no release of Debian, so the machine must have it
  --no-migrate     start with an empty project
  --status FILE    write URLs and keys to FILE instead of .stack/status.json
  -h, --help       show this

Other commands find the running stack by .stack/status.json; of several the one started last.
Exit codes: 0 ended as asked, 1 did not start, 2 wrong usage.`;

/** The first one ends the stack in order; children end with this process in any case. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

async function main(): Promise<number> {
  const options = readOptions();
  if (options === null) {
    console.log(USAGE);
    return 0;
  }
  const major = options.major ?? (options.keep === undefined ? undefined : await keptMajor(options.keep));
  await (major === undefined ? useUsualPostgres() : usePostgres(major));
  const asked = Promise.race([untilSignal(), untilParentDies()]);
  const starting = startStack({
    ...options,
    ...(options.migrate ? { load: new URL("../examples/theatre/", import.meta.url) } : {}),
    log: (source, line) => console.error(`${source} │ ${line}`),
  });
  // Told to end before it is up: nothing to put in order, and what runs already ends with this process.
  if (await Promise.race([asked.then(() => true), starting.then(() => false)])) return 0;
  const stack = await starting;
  const takeBack = await publishStatus(stack.status(), options.statusFile);
  console.log(renderStatus(stack.status()));
  console.error("\nRunning. Ctrl-C ends it.");
  await asked;
  console.error("Ending …");
  await takeBack();
  await stack.stop();
  return 0;
}

/** Returns the options; null when help is asked for. Throws for options that make no sense. */
function readOptions() {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      keep: { type: "string" },
      port: { type: "string" },
      "db-port": { type: "string" },
      functions: { type: "string" },
      postgres: { type: "string" },
      status: { type: "string" },
      "no-migrate": { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return null;
  const port = portOf("--port", values.port);
  const databasePort = portOf("--db-port", values["db-port"]);
  const major = majorOf(values.postgres);
  return {
    migrate: !values["no-migrate"],
    statusFile: values.status === undefined ? STATUS_FILE : pathToFileURL(values.status),
    ...(values.functions === undefined ? {} : { functionsDir: values.functions }),
    ...(values.keep === undefined ? {} : { keep: values.keep }),
    ...(port === undefined ? {} : { port }),
    ...(databasePort === undefined ? {} : { databasePort }),
    ...(major === undefined ? {} : { major }),
  };
}

function majorOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const major = Number(text);
  if (Number.isInteger(major) && major >= OLDEST_MAJOR) return major;
  throw new TypeError(`--postgres takes a major version from ${OLDEST_MAJOR} on, not "${text}"`);
}

function portOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw new TypeError(`${option} takes a port between 1 and 65535, not "${text}"`);
}

function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of SIGNALS) Deno.addSignalListener(signal, () => resolve());
  });
}

if (import.meta.main) {
  try {
    Deno.exit(await main());
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    const wrongUsage = error instanceof TypeError;
    if (wrongUsage) console.error(`\n${USAGE}`);
    Deno.exit(wrongUsage ? 2 : 1);
  }
}
