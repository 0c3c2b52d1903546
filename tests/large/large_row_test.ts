/**
 * One value whose text is larger than a gigabyte: the run fails at once and names table and key. Needs 3 GB of memory.
 */
import assert from "node:assert/strict";
import { startProject } from "../e2e/project.ts";

const SOURCE = `
  create table public.blobs (id int primary key, b bytea);
  insert into public.blobs select 1, decode(repeat('ab', 10 * 1024 * 1024), 'hex');
  update public.blobs set b = b || b || b || b || b || b || b || b || b || b;
  update public.blobs set b = b || b || b || b || b || substr(b, 1, 40 * 1024 * 1024);
  insert into public.blobs values (2, 'small');
  create table public.others (id int primary key);
  insert into public.others values (1);
`;

Deno.test("a row whose text is larger than a gigabyte is named, and a backup can do without it", async () => {
  await using project = await startProject();
  await project.sql.unsafe(SOURCE).simple();
  const failed = await project.backUp();
  assert.equal(failed.status, "failed");
  assert.equal(failed.error_code, "row_too_large");
  assert.match(
    failed.error_message!,
    /the row \(id\) = \(1\) of table public\.blobs: its text is larger than 1 GB/,
  );
  assert.match(failed.error_hint!, /leave_out => '\{public\.blobs\}'/);
  assert.equal(failed.attempt, 1);
  await project.sql`select backup.configure(leave_out => '{public.blobs}')`;
  const run = await project.backUp();
  assert.equal(run.status, "succeeded");
  const warned = (run.warnings as { code: string; object: string }[]).map(({ code, object }) =>
    `${code} ${object}`
  );
  assert.ok(warned.includes("left_out table public.blobs"), warned.join());
  const notes = await (await project.client.storage.from("backups").download(`${run.name}/RESTORE.md`)).data!
    .text();
  assert.match(notes, /table public\\?\.blobs: Its rows are not in the backup/);
});
