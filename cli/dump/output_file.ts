/** Where a dump goes: standard output, or a file that has its name only when it is whole. */
import { CommandError, reasonOf, UsageError } from "../terminal/errors.ts";
import { onInterrupt } from "../terminal/interrupt.ts";
import { binaryOutput } from "../terminal/output.ts";
import type { Write } from "./dump_database.ts";

/** Small writes are joined to this size: an archive is made of many. */
const WRITE_BYTES = 1024 * 1024;

type Sink = Pick<Deno.FsFile, "write">;

/** Throws UsageError where an archive would be printed on a terminal. */
export async function toStandardOutput<T>(dump: (write: Write) => Promise<T>): Promise<T> {
  const output = binaryOutput();
  if (output.isTerminal()) {
    throw new UsageError(
      "Refusing to write a binary archive to the terminal. Use --out FILE or redirect stdout",
    );
  }
  return await collected(output, dump);
}

/**
 * Writes beside `path`, under a name that no other dump uses, and renames when all is there. Throws CommandError,
 * before anything is dumped, for a path that no file can have.
 */
export async function toFile<T>(path: string, dump: (write: Write) => Promise<T>): Promise<T> {
  if ((await Deno.stat(path).catch(() => null))?.isDirectory) {
    throw new CommandError(`Cannot write "${path}": it is a folder`, "Name a file: --out FOLDER/NAME.dump.");
  }
  const partial = `${path}.${crypto.randomUUID().slice(0, 8)}.partial`;
  // Only its owner may read it: it holds everything.
  const file = await Deno.open(partial, { write: true, createNew: true, mode: 0o600 }).catch((error) => {
    throw new CommandError(
      `Cannot write "${path}": ${reasonOf(error)}`,
      "The folder must exist, and you need the right to write into it.",
      error,
    );
  });
  const remove = () => Deno.remove(partial).catch(() => {});
  using _interrupt = onInterrupt(async () => {
    await remove();
    return `"${path}" was not written.`;
  });
  try {
    const summary = await collected(file, dump);
    await file.sync();
    await Deno.rename(partial, path);
    return summary;
  } catch (error) {
    await remove();
    throw error;
  } finally {
    file.close();
  }
}

async function collected<T>(sink: Sink, dump: (write: Write) => Promise<T>): Promise<T> {
  const buffer = new Uint8Array(WRITE_BYTES);
  let filled = 0;
  const flush = async () => {
    await writeAll(sink, buffer.subarray(0, filled));
    filled = 0;
  };
  const result = await dump(async (bytes) => {
    if (filled + bytes.length > WRITE_BYTES) await flush();
    if (bytes.length > WRITE_BYTES) return await writeAll(sink, bytes);
    buffer.set(bytes, filled);
    filled += bytes.length;
  });
  await flush();
  return result;
}

async function writeAll(sink: Sink, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) written += await sink.write(bytes.subarray(written));
}
