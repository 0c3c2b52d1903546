/** `alerts test`: a test on every alert channel, and what came of it. */
import { Command } from "commander";
import type { Tested } from "../../supabase/functions/backup/alerts/deliver.ts";
import { findProject } from "../project/find_project.ts";
import { call } from "../project/function_client.ts";
import { CommandError } from "../terminal/errors.ts";
import { printJson, printResult } from "../terminal/output.ts";
import { colors } from "../terminal/style.ts";
import { table } from "../terminal/table.ts";
import { jsonOption, PROJECT_NOTE } from "./options.ts";

const test = new Command("test")
  .summary("send a test on every alert channel")
  .description(
    "Send a test on every alert channel that the function's secrets configure, and show what came of it. The ping is " +
      "one that changes nothing outside (healthchecks.io's /log). The exit code is 1 when a channel fails or cannot " +
      "be used, and when none is configured.",
  )
  .addOption(jsonOption())
  .addHelpText("after", PROJECT_NOTE)
  .action(async ({ json }: { json?: true }) => {
    const { channels } = await call<{ channels: Tested[] }>(await findProject(), { alert: "test" });
    if (json) printJson({ channels });
    else printResult(...testedTable(channels));
    const failed = channels.filter(({ state, outcome }) => state === "wrong" || outcome === "failed");
    if (failed.length > 0) {
      throw new CommandError(
        `Cannot send alerts on ${failed.map(({ channel }) => channel).join(", ")}`,
        "Correct the function's secrets (docs/alerts.md), and test again.",
      );
    }
    if (channels.every(({ state }) => state === "off")) {
      throw new CommandError(
        "No alert channel is configured, so nobody is notified when a backup fails",
        "docs/alerts.md configures one in two lines.",
      );
    }
  });

export const command = new Command("alerts").summary("test the alert channels").description(
  "Test the alert channels.",
)
  .addCommand(test);

export function testedTable(channels: Tested[]): string[] {
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
