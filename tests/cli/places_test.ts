/** Every command takes the places of backups that a restore takes. */
import assert from "node:assert/strict";
import { runCli } from "../e2e/command.ts";
import { forgeArchive, forgeBackup, type Forged, NAME } from "../restore/forged.ts";

const nowhere = { stack: { apiUrl: "http://127.0.0.1:1", keys: { secretKey: "k" } } } as Parameters<
  typeof runCli
>[0];

const TABLE: Forged[] = [
  {
    desc: "TABLE",
    tag: "orders",
    namespace: "public",
    owner: "tenant",
    tablespace: "",
    tableam: "heap",
    definition: "CREATE TABLE public.orders (\n    id integer\n);\n",
    drop: "DROP TABLE public.orders;\n",
  },
  {
    desc: "TABLE DATA",
    tag: "orders",
    namespace: "public",
    owner: "tenant",
    copy: "COPY public.orders (id) FROM stdin;\n",
    rows: "1\n2\n",
  },
];

Deno.test("a folder and a file are listed, verified and drilled", async (test) => {
  const folder = await Deno.makeTempDir();
  const backup = `${folder}/backup`;
  const file = `${folder}/one.dump`;
  await Deno.mkdir(backup);
  await forgeBackup(backup, TABLE);
  await Deno.writeFile(file, forgeArchive(TABLE));
  try {
    await test.step("list", async () => {
      const listed = await runCli(nowhere, "list", ["--from", backup, "--json"]);
      const { backups } = JSON.parse(listed.out);
      assert.deepEqual(backups.map(({ name }: { name: string }) => name), [NAME]);
      assert.match(
        (await runCli(nowhere, "list", ["--from", file])).error,
        /Cannot list .*it is a single file/,
      );
    });

    await test.step("verify", async () => {
      const whole = await runCli(nowhere, "verify", ["--from", backup]);
      assert.match(whole.out, /1 part, .*, 2 rows, no faults found/, whole.error);
      const one = await runCli(nowhere, "verify", ["--from", file]);
      assert.deepEqual([one.code, /2 entries, no faults found/.test(one.out)], [0, true], one.error);
      const other = await runCli(nowhere, "verify", ["--from", backup, "--backup", "nope"]);
      assert.match(other.error, new RegExp(`contains backup ${NAME}, not nope`));
    });

    await test.step("drill", async () => {
      const places = ["--work-dir", `${folder}/work`, "--report", `${folder}/report`];
      const { code, out, error } = await runCli(nowhere, "drill", ["--from", file, "--json", ...places]);
      assert.equal(code, 0, error + out);
      const { backup: name, counts } = JSON.parse(out);
      assert.deepEqual([name, counts.failed], ["one.dump", 0]);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
