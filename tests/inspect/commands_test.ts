/** `show`, `find` and `diff` as a person types them, on two backups and a database whose differences are known. */
import assert from "node:assert/strict";
import { joinParts } from "../e2e/restore.ts";
import { runCli } from "../e2e/command.ts";
import { HOSTILE, startScene } from "./scene.ts";

Deno.test("[inspect] show, find and diff", async (test) => {
  const { project, first, second } = await startScene();
  await using _ = project;
  const run = (command: string, ...args: string[]) => runCli(project, command, args);
  const json = async (command: string, ...args: string[]) => {
    const { code, out, error } = await run(command, ...args, "--json");
    assert.equal(code, 0, error);
    return JSON.parse(out);
  };

  await test.step("show lists the objects, with the rows that are in the backup", async () => {
    const { backup, objects } = await json("show", first.name);
    assert.equal(backup, first.name);
    const of = (name: string) =>
      objects.find((one: { schema: string; name: string }) => one.schema === "shop" && one.name === name);
    assert.deepEqual([of("orders").rows, of("orders").key, of("orders").type], [40, ["id"], "TABLE"]);
    assert.deepEqual([of("items").rows, of("items").key], [40, ["order_id", "place"]]);
    assert.deepEqual([of("visits").rows, of("visits").key], [10, null]);
    assert.equal(of("items_pkey").parent, of("items").id);
    assert.equal(of(HOSTILE).rows, 1);
    const { out } = await run("show", "latest");
    assert.match(out, /^backup-.* as of .* objects\n/);
    assert.match(out, /shop\.orders +│ table +│ +39 │/);
    assert.ok(out.includes("\\n\\u{202e}txt\\u{1b}[31m"), "hostile names are shown as text");
  });

  await test.step("show prints a definition with what belongs to it", async () => {
    const { out, code } = await run("show", first.name, "shop.orders");
    assert.equal(code, 0);
    assert.match(out, /CREATE TABLE shop\.orders \([\s\S]*total numeric\(8,2\)/);
    assert.match(out, /ADD CONSTRAINT orders_pkey PRIMARY KEY \(id\)/);
    assert.match((await run("show", first.name, "shop.double")).out, /select n \* 2/);
    assert.match((await run("show", second.name, "shop.double")).out, /select n \+ n/);
    const missing = await run("show", first.name, "shop.ordres");
    assert.equal(missing.code, 1);
    assert.match(missing.error, /has no object "shop\.ordres"[\s\S]*shop\.orders/);
  });

  await test.step("show --rows prints the first rows, and says that there are more", async () => {
    const { columns, rows, more } = await json("show", first.name, "shop.orders", "--rows", "--limit", "2");
    assert.deepEqual(columns, ["id", "customer", "total"]);
    assert.deepEqual([rows, more], [[["1", "customer 1", "1.50"], ["2", "customer 2", "3.00"]], true]);
    const { out, error } = await run("show", first.name, "shop.big", "--rows", "--limit", "1");
    assert.match(out, /^id +│ text/);
    assert.match(error, /there are more rows/);
  });

  await test.step("show --where-key finds a row by its whole key, --csv prints it as COPY would", async () => {
    const keys = ["--where-key", "7", "--where-key", "2"];
    const { out } = await run("show", first.name, "shop.items", ...keys, "--csv");
    assert.equal(out, "order_id,place,what\n7,2,item 7.2\n");
    const short = await run("show", first.name, "shop.items", "--where-key", "7");
    assert.match(short.error, /has 2 columns, and 1 values were given[\s\S]*order_id, place/);
    assert.equal(short.code, 2);
    const absent = await run("show", first.name, "shop.orders", "--where-key", "50");
    assert.deepEqual([absent.code, /has no row "50" in shop\.orders/.test(absent.error)], [1, true]);
  });

  await test.step("show --csv prints all rows as they are, hostile ones as well", async () => {
    const { out } = await run("show", first.name, "shop.big", "--rows", "--csv");
    assert.equal(out.split("\n").length, 3002);
    const csv = (await run("show", first.name, `shop.${HOSTILE}`, "--rows", "--csv")).out;
    const name = `"${HOSTILE.replaceAll('"', '""')}"`;
    assert.equal(csv, `${name},b\nk,"<b>bold</b>\n\u202e\x1b[31m"\n`);
    const shown = (await run("show", first.name, `shop.${HOSTILE}`, "--rows")).out;
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(shown, /[\x1b\u202e]/);
  });

  await test.step("show reads a single archive, also one that pg_dump wrote", async () => {
    const folder = await Deno.makeTempDir();
    try {
      await joinParts(project.client, first.name, `${folder}/a.dump`);
      const { rows } = await json("show", `${folder}/a.dump`, "shop.orders", "--where-key", "40");
      assert.deepEqual(rows, [["40", "customer 40", "60.00"]]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

  await test.step("find says in which backups a row is, and how it was", async () => {
    const states = async (...key: string[]) =>
      (await json("find", ...key)).backups.map(
        ({ state, row, changed }: Record<string, unknown>) => [state, row, changed],
      );
    assert.deepEqual(await states("shop.orders", "3"), [
      ["present", ["3", "customer 3", "4.50"], null],
      ["present", ["3", "customer 3", "99.00"], true],
    ]);
    assert.deepEqual(await states("shop.orders", "50"), [
      ["absent", null, null],
      ["present", ["50", "new", "1.00"], true],
    ]);
    assert.deepEqual(await states("shop.unchanged", "5"), [
      ["present", ["5", "same"], null],
      ["present", ["5", "same"], false],
    ]);
    const keyless = await run("find", "shop.added", "1");
    assert.deepEqual([keyless.code, /"shop\.added" has no primary key/.test(keyless.error)], [2, true]);
    const none = await run("find", "shop.nothing", "1");
    assert.deepEqual([none.code, /No backup has the table/.test(none.error)], [1, true]);
  });

  type Table = Record<string, unknown> & { schema: string; name: string; samples: unknown[] };
  const counts = (tables: Table[]) =>
    Object.fromEntries(
      tables.filter(({ schema }) => schema === "shop").map((
        { name, state, by, before, after, added, removed, changed },
      ) => [name, [state, by, before, after, added, removed, changed]]),
    );

  await test.step("diff of two backups: definitions, and rows added, removed and changed", async () => {
    const { definitions, tables, before, after } = await json("diff", first.name, second.name);
    assert.deepEqual([before, after], [first.name, second.name]);
    const changes = definitions.filter(({ schema }: Table) => schema === "shop")
      .map(({ state, type, name }: Record<string, string>) => `${state} ${type} ${name}`);
    assert.deepEqual(changes.sort(), [
      "added TABLE added",
      "changed FUNCTION double(integer)",
      "removed VIEW large_orders",
    ]);
    assert.deepEqual(counts(tables), {
      orders: ["changed", "key", 40, 39, 1, 2, 2],
      items: ["changed", "key", 40, 38, 0, 2, 0],
      visits: ["changed", "row", 10, 12, 2, 0, 0],
      unchanged: ["same", "checksum", 5, 5, 0, 0, 0],
      big: ["same", "checksum", 3000, 3000, 0, 0, 0],
      added: ["added", "count", null, 1, null, null, null],
      [HOSTILE]: ["same", "checksum", 1, 1, 0, 0, 0],
    });
    const orders = tables.find(({ name }: Table) => name === "orders")!;
    assert.deepEqual(
      orders.samples.filter(({ before, after }: { before: unknown; after: unknown }) => before && after),
      [
        { before: ["3", "customer 3", "4.50"], after: ["3", "customer 3", "99.00"] },
        { before: ["4", "customer 4", "6.00"], after: ["4", "customer 4", "99.00"] },
      ],
    );
  });

  await test.step("diff in words", async () => {
    const { out, code } = await run("diff", first.name, second.name, "--samples", "1");
    assert.equal(code, 0);
    assert.match(out, /^- view shop\.large_orders$/m);
    assert.match(out, /^~ function shop\.double\(integer\)\n[\s\S]*-.*n \* 2[\s\S]*\+.*n \+ n/m);
    assert.match(out, /~ id: 3, total: 4\.50 → 99\.00/);
    assert.match(out, /and 2 more rows/);
  });

  await test.step("diff with the database now, of single tables", async () => {
    const tables = ["shop.orders", "shop.big", "shop.items"].flatMap((name) => ["--table", name]);
    const now = await json("diff", second.name, "now", ...tables, "--db-url", project.stack.databaseUrl);
    assert.deepEqual(now.definitions, []);
    assert.deepEqual(counts(now.tables), {
      orders: ["changed", "key", 39, 39, 0, 0, 1],
      big: ["changed", "key", 3000, 3000, 0, 0, 1],
      items: ["same", "key", 38, 38, 0, 0, 0],
    });
    const none = await run(
      "diff",
      second.name,
      "now",
      "--table",
      "shop.no",
      "--db-url",
      project.stack.databaseUrl,
    );
    assert.match(none.error, /Neither side has the table "shop\.no"/);
  });
});
