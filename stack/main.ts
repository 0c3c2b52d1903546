/** `npm run stack`: keeps a project up until it is told to end. */
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { untilParentDies } from "./parent.ts";
import { startStack } from "./stack.ts";
import { publishStatus, renderStatus, STATUS_FILE } from "./status.ts";

const USAGE = `Usage: npm run stack -- [options]

Starts this project without Docker: PostgreSQL, Storage, Edge Functions and one gateway before them, on 127.0.0.1.
Applies the migrations and the seed, prints URLs and keys, and runs until Ctrl-C.

Options:
  --keep DIR       keep database, files and keys in DIR for the next start
  --port N         port of the gateway (a free one without it)
  --db-port N      port of the database (a free one without it)
  --functions DIR  functions of another project than this one's supabase/functions
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
  const asked = Promise.race([untilSignal(), untilParentDies()]);
  const starting = startStack({
    ...options,
    seed: options.migrate,
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

/** Null when help is asked for. Throws on options that make no sense. */
function readOptions() {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      keep: { type: "string" },
      port: { type: "string" },
      "db-port": { type: "string" },
      functions: { type: "string" },
      status: { type: "string" },
      "no-migrate": { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return null;
  const port = portOf("--port", values.port);
  const databasePort = portOf("--db-port", values["db-port"]);
  return {
    migrate: !values["no-migrate"],
    statusFile: values.status === undefined ? STATUS_FILE : pathToFileURL(values.status),
    ...(values.functions === undefined ? {} : { functionsDir: values.functions }),
    ...(values.keep === undefined ? {} : { keep: values.keep }),
    ...(port === undefined ? {} : { port }),
    ...(databasePort === undefined ? {} : { databasePort }),
  };
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
