/** `doctor`: everything that must be right for backups, and the command that mends what is not. */
import { Command } from "commander";
import { checkDatabase } from "../install/doctor/check_database.ts";
import { checkFolder } from "../install/doctor/check_folder.ts";
import { checkFunction } from "../install/doctor/check_function.ts";
import type { Finding } from "../install/doctor/finding.ts";
import { functionUrlOf } from "../install/deploy.ts";
import { readPackage } from "../install/package_contents.ts";
import { openProjectFolder } from "../install/project_folder.ts";
import { pushCommand } from "../install/supabase_cli.ts";
import { findProject, type Project } from "../project/find_project.ts";
import { CommandError } from "../terminal/errors.ts";
import { counted } from "../terminal/format.ts";
import { note, printJson, printResult } from "../terminal/output.ts";
import { colors } from "../terminal/style.ts";
import { dbUrlOption, jsonOption, PROJECT_NOTE } from "./options.ts";

const STATES = { ok: colors.green("ok"), warning: colors.yellow("warning"), failed: colors.red("failed") };
const WIDEST_STATE = 7;

export const command = new Command("doctor")
  .summary("check the installation, and say how to mend it")
  .description("Check the project's folder, its database and its function. Each line says what mends it.")
  .addOption(dbUrlOption("the project's database; without it the database is not checked"))
  .addOption(jsonOption())
  .addHelpText("after", `${PROJECT_NOTE}\n\nExit codes: 0 nothing failed, 1 something did.`)
  .action(doctor);

async function doctor({ dbUrl, json }: { dbUrl?: string; json?: true }): Promise<void> {
  const packaged = await readPackage();
  const folder = await openProjectFolder(Deno.cwd());
  const findings = await checkFolder(folder, packaged);
  const unchecked: string[] = [];
  if (dbUrl === undefined) unchecked.push("The database was not checked: add --db-url.");
  else {
    findings.push(
      ...await checkDatabase(dbUrl, {
        version: packaged.version,
        expectedUrl: await functionUrlOf(folder.root),
        migrations: Object.values(folder.record?.migrations ?? {}),
        push: await pushCommand(folder.root),
      }),
    );
  }
  const project = await namedProject();
  if (project === null) {
    unchecked.push("The function was not checked: set SUPABASE_URL and SUPABASE_SECRET_KEY.");
  } else findings.push(...await checkFunction(project, packaged.version));
  if (json) printJson({ findings, unchecked });
  else {
    printResult(...findings.flatMap(lines), "", verdict(findings));
    unchecked.forEach(note);
  }
  if (findings.some(({ state }) => state === "failed")) Deno.exitCode = 1;
}

async function namedProject(): Promise<Project | null> {
  try {
    return await findProject();
  } catch (error) {
    if (error instanceof CommandError) return null;
    throw error;
  }
}

function lines({ check, state, message, fix }: Finding): string[] {
  const label = STATES[state] + " ".repeat(WIDEST_STATE - state.length);
  return [`${label}  ${check}: ${message}`, ...(fix === "" ? [] : [`${" ".repeat(WIDEST_STATE)}  → ${fix}`])];
}

function verdict(findings: Finding[]): string {
  const count = (state: Finding["state"]) => findings.filter((finding) => finding.state === state).length;
  return `${count("ok")} ok, ${counted(count("warning"), "warning")}, ${count("failed")} failed`;
}
