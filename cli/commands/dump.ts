/**
 * `dump`: any PostgreSQL database as an archive for pg_restore, by the stages of the function and without a project.
 */
import { Command, Option } from "commander";
import { DEFAULT_LEVEL, DEFAULT_LOCK_WAIT_MS, dumpDatabase, type Write } from "../dump/dump_database.ts";
import { toFile, toStandardOutput } from "../dump/output_file.ts";
import { bytes, counted, duration } from "../terminal/format.ts";
import { UsageError } from "../terminal/errors.ts";
import { printJson, say, warn } from "../terminal/output.ts";
import { progress } from "../terminal/progress.ts";
import { colors } from "../terminal/style.ts";
import { integer, jsonOption, repeated } from "./options.ts";

interface Options {
  dbUrl?: string;
  sslRootCert?: string;
  out?: string;
  level: number;
  lockWaitTimeout: number;
  leaveOut?: string[];
  json?: true;
}

export const command = new Command("dump")
  .summary("write an archive of any PostgreSQL database")
  .description(
    "Write an archive of a database (PostgreSQL 14 or later) for pg_restore, as `pg_dump -Fc` does. The URL is " +
      "postgresql://user:password@host:5432/database; the variable keeps the password out of the list of processes. " +
      "Connections to other machines are encrypted unless the URL says sslmode=prefer or sslmode=disable.",
  )
  .addOption(new Option("--db-url <url>", "the database").env("DATABASE_URL"))
  .addOption(
    new Option("--ssl-root-cert <file>", "certificate of the authority that signs the server's").env(
      "PGSSLROOTCERT",
    ),
  )
  .option("--out <file>", "where the archive goes (default: standard output)")
  .option("--level <number>", "deflate level, 1 (fast) to 9 (small)", integer(1, 9), DEFAULT_LEVEL)
  .option(
    "--lock-wait-timeout <ms>",
    "how long to wait for a table that somebody has locked",
    integer(1, 2 ** 31 - 1),
    DEFAULT_LOCK_WAIT_MS,
  )
  .option("--leave-out <schema.table>", "without the rows of this table; may be repeated", repeated)
  .addOption(jsonOption())
  .action(async ({ dbUrl, sslRootCert, out, level, lockWaitTimeout, leaveOut = [], json }: Options) => {
    if (dbUrl === undefined) {
      throw new UsageError("No database is named", "Add --db-url URL, or set DATABASE_URL.");
    }
    if (json && out === undefined) {
      throw new UsageError("--json needs --out", "Standard output takes the archive or the result.");
    }
    const rootCertificate = sslRootCert === undefined ? undefined : await readCertificate(sslRootCert);
    const begin = performance.now();
    const bar = progress("dump");
    const dump = (write: Write) =>
      dumpDatabase(dbUrl, write, {
        level,
        lockTimeoutMs: lockWaitTimeout,
        leaveOut,
        rootCertificate,
        onProgress: (done, expected, table) => bar.update(done, expected, table),
      });
    const summary = await (out === undefined ? toStandardOutput(dump) : toFile(out, dump)).finally(() =>
      bar.stop()
    );
    if (json) return printJson({ file: out, ...summary });
    for (const { object, message } of summary.warnings) warn(`${object}: ${message}`);
    const { tables, rows, rawBytes, bytes: written } = summary;
    const took = duration(performance.now() - begin);
    say(
      `${colors.green("✔")} ${counted(rows, "row")} of ${counted(tables, "table")}, ${bytes(rawBytes)} as ${
        bytes(written)
      } ` +
        `in ${took}`,
    );
  });

async function readCertificate(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new UsageError(
      `Cannot read "${path}": ${(error as Error).message}`,
      "Name the authority's certificate (PEM).",
    );
  }
}
