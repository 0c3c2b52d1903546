/** Objects' bytes on disk. */
import assert from "node:assert/strict";
import { Files } from "../../../../stack/storage/files.ts";

const KEY = { bucket: "b", name: "folder/a", version: "1" };

async function withFiles(work: (files: Files, dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "files-" });
  try {
    await work(new Files(dir), dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function* bytes(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield await Promise.resolve(new TextEncoder().encode(text));
}

const namesIn = (dir: string) => [...Deno.readDirSync(dir)].map(({ name }) => name);

Deno.test("Files.write() knows size and MD5, and Files.read() gives any part back", async () => {
  await withFiles(async (files, dir) => {
    const facts = await files.write(KEY, bytes("he", "llo"));
    assert.deepEqual([facts.size, facts.etag], [5, '"5d41402abc4b2a76b9719d911017c592"']);
    assert.equal(await Deno.readTextFile(`${dir}/b/folder/a/1`), "hello");
    let part = "";
    for await (const block of files.read(KEY, 1, 3)) part += new TextDecoder().decode(block);
    assert.equal(part, "ell");
  });
});

Deno.test("Files.write() leaves nothing of a body that breaks off, not even folders", async () => {
  await withFiles(async (files, dir) => {
    const broken = async function* () {
      yield* bytes("he");
      throw new Error("the client is gone");
    };
    await assert.rejects(files.write(KEY, broken()), { message: "the client is gone" });
    assert.deepEqual(namesIn(dir), []);
  });
});

Deno.test("Files.remove() takes empty folders along, keeps others, and is fine with nothing there", async () => {
  await withFiles(async (files, dir) => {
    await files.write(KEY, bytes("a"));
    await files.write({ ...KEY, name: "folder/b" }, bytes("b"));
    await files.remove(KEY);
    await files.remove(KEY);
    assert.deepEqual(namesIn(`${dir}/b/folder`), ["b"]);
    assert.equal(await files.size(KEY), null);
  });
});

Deno.test("Files.copy() refuses a file that is not there", async () => {
  await withFiles(async (files) => {
    await assert.rejects(files.copy(KEY, { ...KEY, version: "2" }), { code: "NoSuchKey" });
  });
});
