/** An archive in a file, as the commands read it. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { openArchive } from "../../cli/source/archive_file.ts";
import { BLOCK_DATA } from "../../supabase/functions/backup/archive/block.ts";
import { ByteWriter } from "../../supabase/functions/backup/archive/primitives.ts";
import { forgeArchive } from "./forged.ts";

const TABLES = 512;
const CHUNK_BYTES = 60_000;

/** Only places are looked for, so what is in the blocks does not matter. */
function blocks(): Uint8Array {
  const writer = new ByteWriter();
  for (let id = 1; id <= TABLES; id++) {
    writer.byte(BLOCK_DATA);
    writer.int(id);
    writer.int(CHUNK_BYTES);
    writer.raw(new Uint8Array(CHUNK_BYTES));
    writer.int(0);
  }
  return writer.bytes();
}

/** The head alone. */
function head(): Uint8Array {
  const tables = Array.from({ length: TABLES }, (_, index) => ({
    desc: "TABLE DATA",
    tag: `t${index}`,
    hasData: true,
    dependencies: [],
  }));
  return forgeArchive(tables);
}

Deno.test("an archive is searched for its blocks, and everything else has its turn meanwhile", async () => {
  const path = await Deno.makeTempFile({ suffix: ".dump" });
  await Deno.writeFile(path, head());
  await Deno.writeFile(path, blocks(), { append: true });
  const { stat } = Deno;
  // Waiting for it would be a turn as well.
  Deno.stat = (path) => Promise.resolve(Deno.statSync(path));
  let turns = 0;
  let over = false;
  const count = () => {
    turns++;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  try {
    const archive = await openArchive(path);
    over = true;
    assert.equal(archive.blocks.size, TABLES);
    // Else an interrupt would wait until all of the archive is read.
    assert.ok(turns > 1, `${turns} turns`);
  } finally {
    over = true;
    Deno.stat = stat;
    await Deno.remove(path);
  }
  // The last one that was asked for.
  await new Promise((resolve) => setImmediate(resolve));
});
