/** Objects' bytes on disk, at `<dir>/<bucket>/<name>/<version>`. A version is never overwritten. */
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { errors } from "./errors.ts";

/** Which file. */
export interface FileKey {
  bucket: string;
  name: string;
  version: string;
}

/** What a finished file is. */
export interface FileFacts {
  size: number;
  /** MD5 in double quotes, as the header `ETag` has it. */
  etag: string;
  modified: Date;
}

const READ_BYTES = 256 * 1024;

export class Files {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Writes what `body` gives, chunk by chunk. A body that breaks off leaves nothing behind. */
  async write(key: FileKey, body: AsyncIterable<Uint8Array>): Promise<FileFacts> {
    const path = this.#path(key);
    const md5 = createHash("md5");
    let size = 0;
    const file = await this.#create(path);
    try {
      for await (const chunk of body) {
        md5.update(chunk);
        for (let done = 0; done < chunk.length;) done += await file.write(chunk.subarray(done));
        size += chunk.length;
      }
    } catch (error) {
      await this.remove(key);
      throw error;
    } finally {
      file.close();
    }
    return { size, etag: `"${md5.digest("hex")}"`, modified: (await Deno.stat(path)).mtime! };
  }

  /** Copies one version of an object to another place. Throws NoSuchKey when the file is not there. */
  async copy(from: FileKey, to: FileKey): Promise<FileFacts> {
    const size = await this.size(from);
    if (size === null) throw errors.fileIsGone();
    return await this.write(to, this.read(from, 0, size));
  }

  /** Bytes of the file; null when it is not there. */
  async size(key: FileKey): Promise<number | null> {
    return await Deno.stat(this.#path(key)).then(({ size }) => size, (error) => {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    });
  }

  /** `length` bytes from `offset` on; the file is opened when the first are asked for. */
  async *read(key: FileKey, offset: number, length: number): AsyncGenerator<Uint8Array> {
    const file = await Deno.open(this.#path(key));
    try {
      await file.seek(offset, Deno.SeekMode.Start);
      for (let left = length; left > 0;) {
        const block = new Uint8Array(Math.min(left, READ_BYTES));
        const count = await file.read(block);
        if (count === null) return;
        yield block.subarray(0, count);
        left -= count;
      }
    } finally {
      file.close();
    }
  }

  /** Removes a file, and the folders that it leaves empty. Fine when it is gone already. */
  async remove(key: FileKey): Promise<void> {
    let path = this.#path(key);
    try {
      await Deno.remove(path);
      for (path = dirname(path); path !== this.#dir; path = dirname(path)) await Deno.remove(path);
    } catch {
      // Gone already, or a folder with something else in it.
    }
  }

  /** Throws InvalidKey for a name that leads out of the folder, even if the tables have it. */
  #path({ bucket, name, version }: FileKey): string {
    const key = `${bucket}/${name}`;
    if (key.split("/").some((step) => step === "." || step === "..")) {
      throw errors.invalidKey(`${key} contains dot path segment`);
    }
    return join(this.#dir, key, version);
  }

  /** Another upload's remove() may take the empty folder away before the file is in it: then once more. */
  async #create(path: string): Promise<Deno.FsFile> {
    for (let tried = 1;; tried++) {
      await Deno.mkdir(dirname(path), { recursive: true });
      try {
        return await Deno.open(path, { write: true, createNew: true });
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound) || tried === 10) throw error;
      }
    }
  }
}
