/** The comparison itself can fail: an archive that lacks one thing is told from a whole one. */
import assert from "node:assert/strict";
import { startCluster } from "../../stack/postgres/cluster.ts";
import { adler32 } from "../../supabase/functions/backup/archive/adler.ts";
import { closeBlock, openBlock } from "../../supabase/functions/backup/archive/block.ts";
import { writeHead } from "../../supabase/functions/backup/archive/header.ts";
import { bytesFrom, readArchive } from "../../supabase/functions/backup/archive/reader.ts";
import { SegmentDeflater } from "../../supabase/functions/backup/archive/segment.ts";
import type { Entry } from "../../supabase/functions/backup/entry.ts";
import { compareArchives } from "./compare.ts";
import { dumpArchive, loadFile } from "./programs.ts";

interface Damage {
  entries?(entries: Entry[]): Entry[];
  rows?(text: string): string;
}

const SETUP = `
create table public.performance (title text primary key, seats integer);
insert into public.performance values ('Hamlet', 300), ('Faust', 250);
create view public.large as select * from public.performance where seats > 260;
`;

Deno.test("[compareArchives]", async (test) => {
  const cluster = await startCluster();
  const folder = await Deno.makeTempDir({ prefix: "damage-" });
  try {
    await Deno.writeTextFile(`${folder}/setup.sql`, SETUP);
    await loadFile(cluster, "postgres", `${folder}/setup.sql`);
    const [whole, damaged] = [`${folder}/whole.dump`, `${folder}/damaged.dump`];
    await dumpArchive(cluster, "postgres", whole);
    const compare = async (damage: Damage) => {
      await rewrite(whole, damaged, damage);
      return await compareArchives(cluster, damaged, whole) ?? "equal";
    };

    await test.step("finds no difference in an archive that was only written anew", async () => {
      assert.equal(await compare({}), "equal");
    });

    await test.step("finds an entry that is missing", async () => {
      const entries = (all: Entry[]) => all.filter(({ desc }) => desc !== "VIEW");
      assert.match(await compare({ entries }), /- expected VIEW public\.large/);
    });

    await test.step("finds a dependency that is missing", async () => {
      const entries = (all: Entry[]) =>
        all.map((entry) => entry.desc === "VIEW" ? { ...entry, dependencies: [] } : entry);
      assert.match(await compare({ entries }), /- expected +needs: \["TABLE public\.performance"\]/);
    });

    await test.step("finds entries in another order", async () => {
      const entries = (all: Entry[]) => [...all.slice(0, 3), ...all.slice(3).toReversed()];
      assert.match(await compare({ entries }), /table of contents differs/);
    });

    await test.step("finds a row that is missing, and one that says something else", async () => {
      assert.match(await compare({ rows: (text) => text.replace("Faust\t250\n", "") }), /script differs/);
      assert.match(await compare({ rows: (text) => text.replace("250", "251") }), /- expected Faust\t250/);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
    await cluster.stop();
  }
});

/** Reads an archive and writes it with the damage done. */
async function rewrite(from: string, to: string, damage: Damage): Promise<void> {
  using file = await Deno.open(from);
  const { header, entries, blocks } = await readArchive(bytesFrom(file.readable));
  const kept = damage.entries?.(entries) ?? entries;
  const dump = {
    entries: kept,
    data: [],
    warnings: [],
    serverVersionNum: 0,
    database: header.database!,
    serverVersion: header.serverVersion!,
  };
  using output = await Deno.open(to, { write: true, create: true, truncate: true });
  const writer = output.writable.getWriter();
  const emit = (bytes: Uint8Array) => writer.write(bytes);
  await emit(writeHead(dump, { createdAt: header.createdAt, level: 1 }));
  for await (const { dumpId, rows } of blocks) {
    let text = "";
    const decoder = new TextDecoder();
    for await (const bytes of rows) text += decoder.decode(bytes, { stream: true });
    const bytes = new TextEncoder().encode(damage.rows?.(text) ?? text);
    const deflater = new SegmentDeflater(1);
    await emit(openBlock(dumpId));
    await deflater.push(bytes, emit);
    await deflater.finish(emit);
    await emit(closeBlock(adler32(bytes)));
  }
  await writer.close();
}
