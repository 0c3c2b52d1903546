/** `npm run restore`: a backup into a database that was looked at first. */
import colors from "picocolors";
import { bytes, duration } from "./format.ts";
import { backupsTable } from "./list.ts";
import { ask, confirmByName } from "./restore/ask.ts";
import { checksTable, compareRestored, summaryOf } from "./restore/compare.ts";
import { describePlan, describeRest } from "./restore/describe.ts";
import { type BackedUp, refusals, refuse } from "./restore/gates.ts";
import { type Asked, readOptions } from "./restore/options.ts";
import { withPassword } from "./restore/password.ts";
import { findPgRestore } from "./restore/pg_restore.ts";
import { planned, restoreEntries } from "./restore/run.ts";
import { restoreBeside } from "./restore/side_schema.ts";
import type { Plan } from "./restore/plan.ts";
import {
  backupsOf,
  chooseBackup,
  fetchSource,
  findOrigin,
  type Origin,
  type Source,
} from "./restore/source.ts";
import { takeBack } from "./restore/take_back.ts";
import { openTarget, placeOf, type Target } from "./restore/target.ts";
import { CommandError, progress, runCommand } from "./terminal.ts";

const USAGE = `Usage: npm run restore [-- --backup NAME|latest] [--to URL] [options]

Restores a backup into a database, with pg_restore. Without options it lists the backups and asks.

What
  --backup NAME|latest    which backup
  --from WHERE            a project's URL, s3://BUCKET/PREFIX (second copies), a downloaded folder or a single
                          file; else SUPABASE_URL with SUPABASE_SECRET_KEY, else the running stack
  --identity FILE         the key of an encrypted backup, as age-keygen wrote it; BACKUP_AGE_IDENTITY_FILE without it
  --table SCHEMA.NAME     this table only, with what is its own; may be repeated
  --schema NAME           this schema only; may be repeated
  --with-dependents       and what hung on it and is gone: views, keys and policies of other tables
  --schema-only           definitions, no rows
  --data-only             rows, no definitions
  --with-files            rows of storage.objects too (into a Supabase project)
  --into-schema NAME      with --table: a copy in this new schema, beside the living table

Where
  --to URL                postgresql://user@host:5432/database?sslmode=require; RESTORE_DATABASE_URL in the environment
                          without it. The password: PGPASSWORD, PGPASSFILE or ~/.pgpass, else it is asked for
  --as plain|supabase     what the target is, where that shows wrongly (a whole copy of a project looks like one)
  --jobs N                N connections at once; then it is not one transaction
  --no-owner              no owners, no grants
  --without-missing       go on without extensions that the target cannot have, and without what needs them

Safety
  --dry-run               say what would be done, and do nothing
  --check                 compare with the backup afterwards, as a drill does
  --clean                 drop first what the backup has; asks for the database's name (--confirm NAME answers)
  --into-non-empty        leave what is there, and add to it
  --into-source           the target may be the database that was backed up
  --older-server          the target's server may be older than the backup's
  --production            the target is what it sounds like
  --work-dir DIR          where the archive lies meanwhile; --keep leaves it there`;

if (import.meta.main) {
  await runCommand(USAGE, async (args) => {
    const asked = readOptions(args);
    const origin = await findOrigin(asked.from);
    const name = await backupName(origin, asked.backup);
    const source = await fetched(origin, name, asked);
    const target = await openTarget(await targetUrl(asked.to), asked.as);
    try {
      if (asked.intoSchema !== null) await beside(source, target, asked.intoSchema, asked);
      else await restore(source, target, asked);
    } finally {
      await target.session.close();
    }
    if (!asked.keep && !asked.dryRun) await source.discard();
  });
}

async function backupName(origin: Origin, wanted: string | undefined): Promise<string> {
  if (origin.kind === "file") return "";
  if (wanted !== undefined || origin.kind === "folder") return await chooseBackup(origin, wanted ?? "latest");
  console.log(backupsTable(await backupsOf(origin)));
  return await chooseBackup(
    origin,
    ask("Which backup? (its name, or latest)", "Name it: --backup NAME|latest"),
  );
}

async function fetched(origin: Origin, name: string, { workDir, identity }: Asked): Promise<Source> {
  const bar = progress("check");
  try {
    return await fetchSource(
      origin,
      name,
      workDir,
      (done, expected) => bar.update(done, expected, `${bytes(done)} of ${bytes(expected)}`),
      identity,
    );
  } finally {
    bar.stop();
  }
}

async function targetUrl(to: string | undefined): Promise<string> {
  const given = to ?? Deno.env.get("RESTORE_DATABASE_URL") ??
    ask(
      "Where to? (postgresql://user@host:5432/database)",
      "Name the target: --to URL, or RESTORE_DATABASE_URL",
    );
  return await withPassword(given, to !== undefined);
}

export function backedUp({ manifest, archive, projectUrl }: Source): BackedUp {
  return {
    name: manifest?.name ?? null,
    serverVersion: archive.header.serverVersion,
    database: archive.header.database,
    projectUrl,
  };
}

async function restore(source: Source, target: Target, asked: Asked): Promise<void> {
  const { archive, manifest } = source;
  const { options, dryRun } = asked;
  const found = await refusals(target, backedUp(source), asked.allowed);
  if (!dryRun) refuse(target, found);
  await findPgRestore(target.version);
  const plan = await planned(archive, target, options);
  console.log(await describePlan(archive, manifest, target, plan));
  if (dryRun) {
    for (const { reason, option } of found) {
      console.log(`${colors.red("would be refused:")} ${reason} (${option})`);
    }
    console.log(describeRest(plan));
    console.log("Nothing was changed: this was a dry run.");
    return;
  }
  if (options.clean) {
    confirmByName(
      `Drops what the backup has from ${placeOf(target.address)}.`,
      target.address.database,
      asked.confirm,
    );
  }
  const begin = performance.now();
  const bar = progress("restore");
  let entries = 0;
  try {
    await restoreEntries(
      archive,
      target,
      plan.entries,
      options,
      (entry) => bar.update(++entries, plan.entries.length, entry),
    );
  } finally {
    bar.stop();
  }
  console.log(`${colors.green("✔")} restored in ${duration(performance.now() - begin)}`);
  console.log(describeRest(plan));
  if (asked.check) await check(source, target, plan, !asked.allowed.clean && !asked.allowed.intoNonEmpty);
}

async function check(source: Source, target: Target, plan: Plan, wasEmpty: boolean): Promise<void> {
  const checks = await compareRestored(source.archive, source.manifest, plan, target, { wasEmpty });
  console.log(checksTable(checks));
  const { failed, text } = summaryOf(checks);
  if (failed > 0) {
    throw new CommandError(`The target is not what the backup holds: ${text}`, "The table above says where.");
  }
  console.log(`${colors.green("✔")} ${text}`);
}

async function beside(
  source: Source,
  target: Target,
  schema: string,
  { options, dryRun }: Asked,
): Promise<void> {
  if (target.schemas.has(schema)) {
    throw new CommandError(
      `The target has a schema "${schema}" already`,
      "Name another one: a copy goes into a schema of its own.",
    );
  }
  if (dryRun) {
    console.log(
      `Would copy ${options.tables.join(", ")} into the new schema ${schema} of the ${
        placeOf(target.address)
      }.`,
    );
    return;
  }
  const rows = await restoreBeside(source.archive, target, options.tables, schema);
  for (const { living, copy, rows: number } of rows) {
    console.log(`${colors.green("✔")} ${copy}: ${number} rows`);
    for (const { what, sql } of await takeBack(target, living, copy)) {
      console.log(`${colors.cyan("to")} ${what}:\n  ${sql};`);
    }
  }
  console.log(
    `${colors.cyan("to do:")} away with it, when you are done:\n  drop schema "${schema}" cascade;`,
  );
}
