/** The file of a dump: whole or not there, also when two dumps write it. */
import assert from "node:assert/strict";
import { toFile } from "../../cli/dump/output_file.ts";

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const bytes = (text: string) => new TextEncoder().encode(text);
const names = (folder: string) => Array.fromAsync(Deno.readDir(folder), ({ name }) => name);

Deno.test("two dumps into one file: each is whole when it says so", () =>
  inFolder(async (folder) => {
    const path = `${folder}/x.dump`;
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    const slow = toFile(path, async (write) => {
      await write(bytes("slow "));
      first.resolve();
      await second.promise;
      await write(bytes("dump"));
    });
    await first.promise;
    await toFile(path, (write) => write(bytes("quick dump")));
    assert.equal(await Deno.readTextFile(path), "quick dump");
    second.resolve();
    await slow;
    assert.equal(await Deno.readTextFile(path), "slow dump");
    assert.deepEqual(await names(folder), ["x.dump"]);
    assert.equal((await Deno.stat(path)).mode! & 0o077, 0, "nobody else may read it");
  }));

Deno.test("a dump that fails leaves the older file and nothing else", () =>
  inFolder(async (folder) => {
    const path = `${folder}/x.dump`;
    await Deno.writeTextFile(path, "older");
    await assert.rejects(toFile(path, () => Promise.reject(new Error("broken"))), /broken/);
    assert.equal(await Deno.readTextFile(path), "older");
    assert.deepEqual(await names(folder), ["x.dump"]);
  }));

Deno.test("a path that no file can have is refused before anything is dumped", () =>
  inFolder(async (folder) => {
    const never = () => Promise.reject(new Error("it was dumped"));
    await assert.rejects(toFile(folder, never), /it is a folder/);
    await assert.rejects(toFile(`${folder}/none/x.dump`, never), /Cannot write ".*none\/x\.dump"/);
  }));
