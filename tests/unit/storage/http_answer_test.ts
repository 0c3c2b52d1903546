import assert from "node:assert/strict";
import { readAnswer } from "../../../supabase/functions/backup/storage/http/answer.ts";

/** A connection on which `text` arrives in pieces of `size` bytes. */
function connection(text: string, size: number) {
  let rest = new TextEncoder().encode(text);
  return {
    read(into: Uint8Array): Promise<number | null> {
      if (rest.length === 0) return Promise.resolve(null);
      const piece = rest.slice(0, size);
      rest = rest.slice(size);
      into.set(piece);
      return Promise.resolve(piece.length);
    },
  };
}

const ANSWERS = {
  "with a length": 'HTTP/1.1 200 OK\r\nContent-Length: 15\r\nX-A: 1: 2\r\n\r\n{"Key":"é…"}more',
  "in chunks":
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nx-a:1: 2\r\n\r\n5\r\n{"Key\r\na;x=y\r\n":"é…"}\r\n0\r\n\r\n',
  "until the end of the connection": 'HTTP/1.0 200 OK\r\nx-a: 1: 2\r\n\r\n{"Key":"é…"}',
  "after an interim one":
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nx-a: 1: 2\r\ncontent-length: 15\r\n\r\n{"Key":"é…"}',
};

for (const [name, text] of Object.entries(ANSWERS)) {
  Deno.test(`[readAnswer] reads an answer ${name}, however it arrives`, async () => {
    for (const size of [1, 7, 1000]) {
      const answer = await readAnswer(connection(text, size));
      assert.equal(answer.status, 200);
      assert.equal(answer.statusText, "OK");
      assert.equal(answer.headers.get("x-a"), "1: 2");
      assert.deepEqual(await answer.json(), { Key: "é…" });
    }
  });
}

Deno.test("[readAnswer] reads an answer without a body", async () => {
  const answer = await readAnswer(connection("HTTP/1.1 204 No Content\r\n\r\n", 5));
  assert.equal(answer.status, 204);
  assert.equal(answer.body, null);
});

for (
  const [name, text] of Object.entries({
    "before its head": "",
    "in its head": "HTTP/1.1 200 OK\r\ncontent-le",
    "in its body": "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n{",
    "in a chunk": "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{",
    "before the last chunk": "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n",
  })
) {
  Deno.test(`[readAnswer] throws for a connection that ends ${name}`, async () => {
    await assert.rejects(() => readAnswer(connection(text, 9)), /the connection ended before the answer did/);
  });
}

Deno.test("[readAnswer] throws for what is not HTTP, and for more than an answer may be", async () => {
  await assert.rejects(() => readAnswer(connection("SSH-2.0-x\r\n\r\n", 99)), /not HTTP/);
  await assert.rejects(
    () => readAnswer(connection("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 99)),
    /chunk without a length/,
  );
  const endless = { read: (into: Uint8Array) => Promise.resolve(into.fill(97).length) };
  await assert.rejects(() => readAnswer(endless), /longer than 1048576 bytes/);
});
