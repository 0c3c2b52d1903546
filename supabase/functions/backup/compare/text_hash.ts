/** A hash of text as it comes, one for all of it: another order of the rows is another hash. */
import { xxhash } from "./xxhash.ts";
import type { Content } from "./content_hash.ts";

/** Returns the XXH64 of nothing, which takes text. Rows are not counted. */
export async function textHash(): Promise<{ push(bytes: Uint8Array): void; readonly content: Content }> {
  const hash = (await xxhash()).create64();
  return {
    push: (bytes) => void hash.update(bytes),
    get content() {
      return { rows: 0, hash: hash.digest().toString(16).padStart(16, "0") };
    },
  };
}
