/** `npm run alert:test`: a test on every channel for alerts, and what came of it. */
import { parseArgs } from "node:util";
import colors from "picocolors";
import type { Tested } from "../supabase/functions/backup/alerts/tell.ts";
import { findProject } from "./project.ts";
import { call } from "./runs.ts";
import { CommandError, runCommand, table } from "./terminal.ts";

const USAGE = `Usage: npm run alert:test [-- --json]

Has the function send a test on every channel for alerts that its secrets set up, and shows what came of it. The ping is one that
changes nothing outside (healthchecks.io's /log). Exit code 1 when a channel fails or cannot be used, or none is set up.

  --json   as JSON

Project: SUPABASE_URL and SUPABASE_SECRET_KEY, else the running stack.`;

if (import.meta.main) {
  await runCommand(USAGE, async (args) => {
    const { values } = parseArgs({ args, options: { json: { type: "boolean" } } });
    const { channels } = await call<{ channels: Tested[] }>(await findProject(), { alert: "test" });
    console.log(values.json ? JSON.stringify(channels, null, 2) : testedTable(channels));
    const failed = channels.filter(({ state, outcome }) => state === "wrong" || outcome === "failed");
    if (failed.length > 0) {
      throw new CommandError(
        `Not told on ${failed.map(({ channel }) => channel).join(", ")}`,
        "Set the function's secrets right (docs/alerts.md), and test again.",
      );
    }
    if (channels.every(({ state }) => state === "off")) {
      throw new CommandError(
        "No channel is set up: of a failure learns only who asks",
        "docs/alerts.md sets one up in two lines.",
      );
    }
  });
}

export function testedTable(channels: Tested[]): string {
  const rows = channels.map(({ channel, state, outcome, status, error, milliseconds }) => [
    channel,
    outcome === "sent"
      ? colors.green("sent")
      : outcome === "failed" || state === "wrong"
      ? colors.red(outcome ?? "wrong")
      : colors.dim("off"),
    status === null ? "" : String(status),
    milliseconds === null ? "" : `${milliseconds} ms`,
    error ?? "",
  ]);
  return table(["channel", "test", "status", "took", "error"], rows, ["left", "left", "right", "right"]);
}
