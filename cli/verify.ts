/** `npm run verify`: reads what Storage holds of a backup, all of it, and names what is wrong. Restores nothing. */
import { parseArgs } from "node:util";
import colors from "picocolors";
import { identityFile } from "./decrypt/decryption.ts";
import { bytes, count, duration } from "./format.ts";
import { chooseBackup, findOrigin } from "./restore/source.ts";
import { type Verification, verifyBackup } from "./restore/verification.ts";
import { readRuns } from "./runs.ts";
import { CommandError, progress, runCommand } from "./terminal.ts";

const USAGE = `Usage: npm run verify [-- --backup NAME|latest] [--from WHERE] [--identity FILE] [--json]

Reads a stored backup again: the manifest, every part's checksum, and the archive entry by entry and row by row.
Exit code 0 when nothing is wrong, 1 when something is; each fault is named.

  --backup NAME|latest   which backup; the newest without it
  --from WHERE           a project's URL, s3://bucket/prefix or a downloaded folder; else SUPABASE_URL with SUPABASE_SECRET_KEY, else the stack
  --identity FILE        the key of an encrypted backup, as age-keygen wrote it; BACKUP_AGE_IDENTITY_FILE without it
  --json                 as JSON`;

if (import.meta.main) {
  await runCommand(USAGE, async (args) => {
    const { values } = parseArgs({
      args,
      options: {
        ...{ backup: { type: "string" }, from: { type: "string" }, identity: { type: "string" } },
        json: { type: "boolean" },
      },
    });
    const origin = await findOrigin(values.from);
    if (origin.kind === "file") {
      throw new CommandError(
        `${origin.path} has no manifest to be compared with`,
        "Name the folder of the backup.",
      );
    }
    // A name is taken as it is: what is asked about may be damaged.
    const named = values.backup !== undefined && values.backup !== "latest";
    const name = named ? values.backup! : await chooseBackup(origin, "latest");
    const logged = origin.kind === "project" ? await loggedChecksum(origin.project, name) : undefined;
    const begin = performance.now();
    const bar = progress("verify");
    const result = await verifyBackup(origin.bucket, name, {
      ...(logged === undefined ? {} : { manifestSha256: logged }),
      identityFile: identityFile(values.identity),
      onProgress: (done, expected, part) => bar.update(done, expected, part),
    }).finally(() => bar.stop());
    console.log(
      values.json ? JSON.stringify(result, null, 2) : report(name, result, performance.now() - begin),
    );
    if (result.faults.length > 0) {
      throw new CommandError(
        `${name} has ${result.faults.length} faults`,
        "Take another backup; keep this one until it is there.",
      );
    }
  });
}

/** The manifest's SHA-256 in backup.log; undefined where the log cannot be asked or has forgotten the run. */
async function loggedChecksum(
  project: Parameters<typeof readRuns>[0],
  name: string,
): Promise<string | undefined> {
  try {
    const runs = await readRuns(project, { limit: 100 });
    return (runs.find((run) => run.name === name) as { checksum?: string | null } | undefined)?.checksum ??
      undefined;
  } catch {
    return undefined;
  }
}

function report(
  name: string,
  { faults, unchecked, parts, bytes: size, rows }: Verification,
  took: number,
): string {
  const lines = faults.map(({ code, message }) => `${colors.red(code)}  ${message}`);
  lines.push(...unchecked.map((what) => `${colors.yellow("not checked:")} ${what}`));
  if (faults.length === 0) {
    lines.push(
      `${colors.green("✔")} ${name}: ${count(parts)} parts, ${bytes(size)}, ${
        count(rows)
      } rows, nothing wrong, in ${duration(took)}`,
    );
  }
  return lines.join("\n");
}
