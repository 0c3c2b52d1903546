/** The engine at work on an archive, as a program that bench/restore.ts measures: `FILE URL JOBS`. */
import { openArchive } from "../cli/source/archive_file.ts";
import { openSession } from "../supabase/functions/backup/postgres/session.ts";
import { restore } from "../supabase/functions/backup/restore/restore.ts";

const [path, url, jobs] = Deno.args;
const archive = await openArchive(path!);
const account = await restore({
  archive,
  plan: { entries: archive.entries },
  open: () => openSession(url!),
  options: { jobs: Number(jobs) },
});
if (account.outcome !== "restored") throw new Error(JSON.stringify(account));
