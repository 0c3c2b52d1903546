/** A bucket in memory, for tests: keeps the promises of the interface and nothing else. */
import {
  BucketError,
  checkName,
  joined,
  type ProjectBucket,
} from "../../supabase/functions/backup/storage/bucket.ts";

export interface MemoryBucket extends ProjectBucket {
  /** What is stored, by full name; tests may look at it and damage it. */
  readonly objects: Map<string, { bytes: Uint8Array; contentType: string }>;
}

/** Size of the pieces of `read`; small, so that tests meet objects of several pieces. */
const PIECE = 1000;

export function memoryBucket(): MemoryBucket {
  const objects: MemoryBucket["objects"] = new Map();

  function find(name: string): Uint8Array {
    const found = objects.get(name);
    if (found === undefined) {
      throw new BucketError(
        "missing",
        `"${name}" is not in the bucket`,
        "It may have been removed.",
      );
    }
    return found.bytes;
  }

  async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let begin = 0; begin < bytes.length; begin += PIECE) {
      yield await Promise.resolve(bytes.slice(begin, begin + PIECE));
    }
  }

  const bucket: MemoryBucket = {
    objects,
    put(name, bytes, contentType) {
      checkName(name);
      objects.set(name, { bytes: bytes.slice(), contentType });
      return Promise.resolve();
    },
    get: (name) => bucket.read(name, joined),
    read: async (name, consume) => await consume(pieces(find(name))),
    readFile: (name, consume) => bucket.read(name, consume),
    exists: (name) => Promise.resolve(objects.has(name)),
    isPublic: () => Promise.resolve(false),
    list: (folder) =>
      Promise.resolve(
        [...objects].filter(([name]) => name.slice(0, name.lastIndexOf("/")) === folder)
          .map(([name, { bytes }]) => ({ name: name.slice(folder.length + 1), bytes: bytes.length }))
          .sort((a, b) => (a.name < b.name ? -1 : 1)),
      ),
    folders: () =>
      Promise.resolve(
        [
          ...new Set(
            [...objects.keys()].filter((name) => name.includes("/")).map((name) => name.split("/")[0]!),
          ),
        ]
          .sort(),
      ),
    remove(names) {
      for (const name of names) objects.delete(name);
      return Promise.resolve();
    },
  };
  return bucket;
}
