/** Forms, however their bytes are cut into chunks. */
import assert from "node:assert/strict";
import { readForm } from "../../../../stack/storage/multipart.ts";

const TYPE = "multipart/form-data; boundary=edge";
const FILE = "one\r\n--edg\r\n\r\ntwo\r--edge";
const FORM = [
  "--edge",
  'Content-Disposition: form-data; name="cacheControl"',
  "",
  "60",
  "--edge",
  'Content-Disposition: form-data; name=""; filename="blob"',
  "Content-Type: text/css",
  "",
  FILE,
  "--edge--",
  "",
].join("\r\n");

async function* inChunks(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of chunks) text += new TextDecoder().decode(chunk);
  return text;
}

Deno.test("readForm() finds fields and file wherever the chunks are cut", async () => {
  for (let size = 1; size <= FORM.length; size++) {
    const form = await readForm(TYPE, inChunks(FORM, size));
    assert.deepEqual([...form.fields], [["cacheControl", "60"]]);
    assert.equal(form.type, "text/css");
    assert.equal(await textOf(form.file), FILE, `chunks of ${size}`);
  }
});

Deno.test("readForm() refuses a form without a file, without a boundary, or cut short", async () => {
  const refused = { code: "InvalidRequest", message: "No content provided" };
  const withoutFile = FORM.slice(0, FORM.indexOf("--edge\r\n", 3)) + "--edge--\r\n";
  await assert.rejects(readForm(TYPE, inChunks(withoutFile, 7)), refused);
  await assert.rejects(readForm("multipart/form-data", inChunks(FORM, 7)), refused);
  const form = await readForm(TYPE, inChunks(FORM.slice(0, -12), 7));
  await assert.rejects(textOf(form.file), refused);
});
