/** What a restore with exceptions leaves on this machine: a document, and the rows that the server did not take. */
import type { Account } from "../../supabase/functions/backup/restore/account.ts";
import { accountDocument } from "../../supabase/functions/backup/restore/account_markdown.ts";

/** Only the user may read it: rows are somebody's data. */
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** Returns the name of a folder that does not exist yet. */
export function reportFolder(now = new Date()): string {
  return `restore-report-${now.toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-")}`;
}

/** Writes the rows of a table that were put aside, as COPY text. Returns where. */
export async function keepAside(
  folder: string,
  table: string,
  lines: readonly Uint8Array[],
): Promise<string> {
  await Deno.mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  // A table's name comes from somebody else.
  const name = table.replace(/[^\w.-]/g, "_").slice(0, 120);
  for (let number = 1;; number++) {
    const path = `${folder}/${name}${number === 1 ? "" : `-${number}`}.copy`;
    try {
      using file = await Deno.open(path, { write: true, createNew: true, mode: FILE_MODE });
      for (const line of lines) for (let at = 0; at < line.length;) at += await file.write(line.subarray(at));
      return path;
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
}

/** Writes the account of a restore. Returns where. */
export async function writeReport(folder: string, account: Account, title: string): Promise<string> {
  await Deno.mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  const path = `${folder}/report.md`;
  await Deno.writeTextFile(path, accountDocument(account, title), { mode: FILE_MODE });
  return path;
}
