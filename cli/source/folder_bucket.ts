/** A downloaded backup as a read-only bucket, so that one code checks both. */
import {
  type Bucket,
  BucketError,
  type StoredObject,
} from "../../supabase/functions/backup/storage/bucket.ts";

const PIECE_BYTES = 1024 * 1024;

/** Returns a bucket of the one backup whose objects are in `dir`, whatever its name. */
export function folderBucket(dir: string): Bucket {
  const pathOf = (name: string) => `${dir}/${name.slice(name.indexOf("/") + 1)}`;
  const refuse = () =>
    Promise.reject(
      new BucketError(
        "refused",
        `Cannot write to "${dir}": a downloaded backup is only read`,
        "No action is needed.",
      ),
    );
  const missingError = (error: unknown, name: string) =>
    error instanceof Deno.errors.NotFound
      ? new BucketError(
        "missing",
        `"${name}" is not in ${dir}`,
        "Download the whole folder of the backup.",
        error,
      )
      : error;
  const bucket: Bucket = {
    put: refuse,
    remove: refuse,
    async get(name) {
      // In one piece: joining would take its size again.
      try {
        return await Deno.readFile(pathOf(name));
      } catch (error) {
        throw missingError(error, name);
      }
    },
    async read(name, consume) {
      let file: Deno.FsFile;
      try {
        file = await Deno.open(pathOf(name));
      } catch (error) {
        throw missingError(error, name);
      }
      using open = file;
      return await consume(piecesOf(open));
    },
    async list() {
      const found: StoredObject[] = [];
      for await (const { name, isFile } of Deno.readDir(dir)) {
        if (isFile) found.push({ name, bytes: (await Deno.stat(`${dir}/${name}`)).size });
      }
      return found.sort((a, b) => a.name < b.name ? -1 : 1);
    },
    folders: () => Promise.resolve([]),
  };
  return bucket;
}

async function* piecesOf(file: Deno.FsFile): AsyncGenerator<Uint8Array> {
  const { size } = await file.stat();
  for (let left = size; left > 0;) {
    const buffer = new Uint8Array(Math.min(left, PIECE_BYTES));
    const read = await file.read(buffer);
    if (read === null) return;
    left -= read;
    yield buffer.subarray(0, read);
  }
}
