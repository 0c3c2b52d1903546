/** What every Bucket promises; each implementation runs these. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type Bucket, BucketError } from "../../../supabase/functions/backup/storage/bucket.ts";

const ARCHIVE = "application/octet-stream";

export function failsWith(failure: BucketError["failure"], message = /./) {
  return (error: unknown) => {
    assert.ok(error instanceof BucketError, `a BucketError, not ${error}`);
    assert.equal(error.failure, failure, error.message);
    assert.match(error.message, message);
    return true;
  };
}

/** Bytes that no codec shortens and no text encoding survives. */
export function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = length + 1;
  for (let i = 0; i < length; i++) bytes[i] = state = (state * 1103515245 + 12345) >>> 8 & 0xff_ffff;
  return bytes;
}

/** A comparison that is done with a megabyte at once: `deepEqual` takes seconds. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array): void {
  assert.equal(actual.length, expected.length);
  assert.equal(Buffer.compare(actual, expected), 0, "every byte is the same");
}

const SIZES = [0, 1, 999, 3_000_000];

/** What the reading half of the contract reads: objects of the folder `sizes`, by name. */
export const TO_READ = Object.fromEntries(SIZES.map((length) => [String(length), noise(length)]));

/** Registers the reading half of the contract as steps; `bucket` has TO_READ in its folder `sizes`, and no more. */
export async function keepsTheReadingContract(test: Deno.TestContext, bucket: Bucket): Promise<void> {
  await test.step("[get] keeps every byte, of empty, small and large objects", async () => {
    for (const length of SIZES) assertSameBytes(await bucket.get(`sizes/${length}`), noise(length));
  });

  await test.step("[get] and [read] say that an object is missing", async () => {
    await assert.rejects(() => bucket.get("sizes/none"), failsWith("missing", /"sizes\/none"/));
    await assert.rejects(() => bucket.read("sizes/nothing", () => Promise.resolve(0)), failsWith("missing"));
  });

  await test.step("[read] hands over the bytes in order and answers what its consumer answers", async () => {
    const pieces: Uint8Array[] = [];
    const answer = await bucket.read("sizes/3000000", async (arriving) => {
      for await (const piece of arriving) pieces.push(piece);
      return "done";
    });
    assert.equal(answer, "done");
    assert.ok(pieces.length > 1, "a large object comes in several pieces");
    assertSameBytes(new Uint8Array(await new Blob(pieces).arrayBuffer()), noise(3_000_000));
  });

  await test.step("[read] lets its consumer stop early, and throws the consumer's own error on", async () => {
    const first = await bucket.read("sizes/3000000", async (arriving) => {
      for await (const piece of arriving) return piece[0];
    });
    assert.equal(first, noise(3_000_000)[0]);
    await assert.rejects(
      () => bucket.read("sizes/3000000", () => Promise.reject(new RangeError("mine"))),
      new RangeError("mine"),
    );
  });

  await test.step("[list] returns names and sizes, by name", async () => {
    assert.deepEqual(
      await bucket.list("sizes"),
      SIZES.map((bytes) => ({ name: String(bytes), bytes })).sort((a, b) => a.name < b.name ? -1 : 1),
    );
  });
}

/** Registers the contract's tests as steps; `bucket` must be empty. */
export async function keepsTheContract(test: Deno.TestContext, bucket: Bucket): Promise<void> {
  await test.step("[put] stores empty, small and large objects", async () => {
    for (const [name, bytes] of Object.entries(TO_READ)) await bucket.put(`sizes/${name}`, bytes, ARCHIVE);
  });
  await keepsTheReadingContract(test, bucket);

  await test.step("[put] takes a view of a larger buffer, and sends no more than it", async () => {
    await bucket.put("views/part", noise(300).subarray(100, 200), ARCHIVE);
    assert.deepEqual(await bucket.get("views/part"), noise(300).slice(100, 200));
  });

  await test.step("[put] overwrites, and may be repeated", async () => {
    for (const text of ["first", "second, longer", "third"]) {
      for (const _ of [1, 2]) await bucket.put("again/part", new TextEncoder().encode(text), ARCHIVE);
      assert.equal(new TextDecoder().decode(await bucket.get("again/part")), text);
    }
    assert.deepEqual(await bucket.list("again"), [{ name: "part", bytes: 5 }]);
  });

  await test.step("[put] refuses names that would be stored under another", async () => {
    for (
      const name of ["", "a#b", "a?b", "a b", "/a", "a//b", "a/", "../a", "a/../b", "a/./b", "é", "a%20b"]
    ) {
      await assert.rejects(
        async () => await bucket.put(name, noise(1), ARCHIVE),
        failsWith("refused", /Invalid object name/),
      );
    }
  });

  await test.step("[list] answers names and sizes right in the folder, by name", async () => {
    for (const name of ["b", "a", "c.json", "deeper/d"]) {
      await bucket.put(`listed/${name}`, noise(name.length), ARCHIVE);
    }
    await bucket.put("listed-not/a", noise(7), ARCHIVE);
    assert.deepEqual(await bucket.list("listed"), [
      { name: "a", bytes: 1 },
      { name: "b", bytes: 1 },
      { name: "c.json", bytes: 6 },
    ]);
    assert.deepEqual(await bucket.list("nothing"), []);
  });

  await test.step("[folders] answers the folders at the top, and no objects", async () => {
    await bucket.put("top", noise(1), ARCHIVE);
    assert.deepEqual(await bucket.folders(), ["again", "listed", "listed-not", "sizes", "views"]);
  });

  await test.step("[remove] removes what is there, and may be repeated", async () => {
    for (const _ of [1, 2]) {
      await bucket.remove(["listed/a", "listed/c.json", "listed/none", "none/none", "top"]);
    }
    assert.deepEqual(await bucket.list("listed"), [{ name: "b", bytes: 1 }]);
    await bucket.remove([]);
    await assert.rejects(() => bucket.read("none/0", () => Promise.resolve(0)), failsWith("missing"));
    await assert.rejects(() => bucket.get("listed/a"), failsWith("missing"));
    await bucket.remove(["listed/b", "listed/deeper/d"]);
    assert.ok(!(await bucket.folders()).includes("listed"), "a folder ends with its last object");
  });
}
