/** `ui`: a page on this machine that shows the backups. */
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { pageApi } from "../page/api.ts";
import type { Bundle } from "../page/bundle.ts";
import { projectFacts } from "../page/facts.ts";
import { servePage } from "../page/server.ts";
import { findProject, stackDatabase } from "../project/find_project.ts";
import { openBucket } from "../project/stored_backups.ts";
import { onInterrupt } from "../terminal/interrupt.ts";
import { note, printJson, printResult } from "../terminal/output.ts";
import { colors } from "../terminal/style.ts";
import { dbUrlOption, identityOption, jsonOption, PROJECT_NOTE, targetOption } from "./options.ts";

interface Options {
  dbUrl?: string;
  targetDbUrl?: string;
  identity?: string;
  allowActions?: boolean;
  open: boolean;
  json?: true;
}

export const command = new Command("ui")
  .summary("see the backups on a page in the browser")
  .description(
    "Show runs, backups, their rows and their differences on a page that only this machine can open. The browser gets no " +
      "key; whoever has the address sees every row, so keep it to yourself.",
  )
  .addOption(dbUrlOption("the project's database: progress, drills, copies, differences to now"))
  .addOption(targetOption("where a restore would go, for its plan (default: the project's database)"))
  .addOption(identityOption())
  .option("--allow-actions", "let the page restore tables beside the living ones")
  .option("--no-open", "print the address, and open no browser")
  .addOption(jsonOption())
  .addHelpText("after", PROJECT_NOTE)
  .action(async ({ dbUrl, targetDbUrl, identity, allowActions = false, open, json }: Options) => {
    const project = await findProject();
    const databaseUrl = dbUrl ?? await stackDatabase(project);
    const api = pageApi({
      origin: { kind: "project", project, bucket: openBucket(project) },
      facts: projectFacts(project, databaseUrl),
      identity,
      databaseUrl,
      targetUrl: targetDbUrl ?? databaseUrl,
      allowActions,
    });
    const server = servePage(await readBundle(), api);
    if (json) printJson({ url: server.url });
    else printResult(server.url);
    if (!json) note(`the page ends with this command: ${colors.bold("Ctrl-C")}`);
    if (open) await openBrowser(server.url);
    // Being interrupted is how it ends.
    using _interrupt = onInterrupt(() => Deno.exit(0));
    await new Promise(() => {});
  });

/** Reads the bundle of the package, and makes it in a checkout. */
async function readBundle(): Promise<Bundle> {
  const built = (name: string) => Deno.readTextFile(fileURLToPath(import.meta.resolve(`../page/${name}`)));
  try {
    return { script: await built("page.js"), style: await built("page.css") };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return await (await import("../page/bundle.ts")).bundlePage();
  }
}

async function openBrowser(url: string): Promise<void> {
  const opener = { darwin: "open", windows: "explorer" }[Deno.build.os as string] ?? "xdg-open";
  try {
    await new Deno.Command(opener, { args: [url], stdin: "null", stdout: "null", stderr: "null" }).output();
  } catch {
    // The address is printed: a person can open it.
  }
}
