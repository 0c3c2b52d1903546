/** A downloaded backup as a read-only bucket, so that one code checks both. */
import {
  type Bucket,
  BucketError,
  joined,
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
  const bucket: Bucket = {
    put: refuse,
    remove: refuse,
    get: (name) => bucket.read(name, joined),
    async read(name, consume) {
      let file: Deno.FsFile;
      try {
        file = await Deno.open(pathOf(name));
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
        throw new BucketError(
          "missing",
          `"${name}" is not in ${dir}`,
          "Download the whole folder of the backup.",
          error,
        );
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
  while (true) {
    const buffer = new Uint8Array(PIECE_BYTES);
    const read = await file.read(buffer);
    if (read === null) return;
    yield buffer.subarray(0, read);
  }
}
