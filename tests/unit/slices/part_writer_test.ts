import assert from "node:assert/strict";
import { PartWriter } from "../../../supabase/functions/backup/slices/part_writer.ts";

/** Stores copies, as an upload would have sent the bytes by the time it resolves. */
function storing() {
  const parts = new Map<number, Uint8Array>();
  return {
    parts,
    store: async (number: number, bytes: Uint8Array) => {
      await Promise.resolve();
      parts.set(number, bytes.slice());
    },
  };
}

Deno.test("[PartWriter] joins small writes and divides large ones into parts of one size", async () => {
  const { parts, store } = storing();
  const writer = new PartWriter(7, 1000, store);
  const sent = crypto.getRandomValues(new Uint8Array(3456));
  for (const [from, to] of [[0, 10], [10, 2500], [2500, 2501], [2501, 3456]] as const) {
    await writer.write(sent.subarray(from, to));
  }
  await writer.end();
  await writer.stored;
  assert.deepEqual([...parts.keys()], [7, 8, 9, 10]);
  assert.deepEqual([...parts.values()].map(({ length }) => length), [1000, 1000, 1000, 456]);
  assert.deepEqual(new Uint8Array([...parts.values()].flatMap((part) => [...part])), sent);
});

Deno.test("[PartWriter] stores nothing when nothing was written, and no empty part at a full one's end", async () => {
  const { parts, store } = storing();
  await new PartWriter(0, 1000, store).end();
  assert.equal(parts.size, 0);
  const full = new PartWriter(0, 1000, store);
  await full.write(new Uint8Array(1000));
  await full.end();
  await full.stored;
  assert.equal(parts.size, 1);
});

Deno.test("[PartWriter] fills the next part while one is stored, and not a third", async () => {
  let release = () => {};
  const stored: number[] = [];
  const writer = new PartWriter(0, 100, (number) => {
    stored.push(number);
    return new Promise((resolve) => release = resolve);
  });
  await writer.write(new Uint8Array(199));
  assert.deepEqual(stored, [0]);
  let second = false;
  const waiting = writer.write(new Uint8Array(1)).then(() => second = true);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(second, false);
  release();
  await waiting;
  assert.deepEqual(stored, [0, 1]);
  release();
  await writer.end();
  await writer.stored;
});

Deno.test("[PartWriter] fails with what storing threw, at the next chance", async () => {
  const writer = new PartWriter(0, 100, () => Promise.reject(new Error("no room")));
  await writer.write(new Uint8Array(100));
  await assert.rejects(writer.stored, /no room/);
  await writer.settle();
});

Deno.test("[PartWriter] leaves room behind each part, which the one that stores it may use", async () => {
  const parts: Uint8Array[] = [];
  const writer = new PartWriter(0, 1000, async (_, bytes, room) => {
    assert.equal(room.byteOffset, bytes.byteOffset);
    assert.ok(room.length >= bytes.length + 50, `${room.length}`);
    parts.push(bytes.slice());
    room.fill(0);
    await Promise.resolve();
  }, 50);
  const sent = crypto.getRandomValues(new Uint8Array(2999));
  await writer.write(sent);
  await writer.end();
  await writer.stored;
  assert.deepEqual(new Uint8Array(parts.flatMap((part) => [...part])), sent);
});
