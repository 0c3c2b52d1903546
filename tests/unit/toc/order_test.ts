import assert from "node:assert/strict";
import { compareText } from "../../../supabase/functions/backup/toc/sort_order.ts";
import { orderObjects } from "../../../supabase/functions/backup/toc/order.ts";
import { makeObject } from "../../../supabase/functions/backup/catalog/object.ts";
import { names, need, object } from "./objects.ts";

function order(...objects: Parameters<typeof names>[0]): string {
  return names(orderObjects(objects, (message) => assert.fail(message)));
}

Deno.test("[orderObjects] sorts by kind, then schema, then name", () => {
  assert.equal(
    order(
      object("table", "b"),
      object("trigger", "tr"),
      object("table", "a"),
      object("function", "f"),
      object("table", "z", { namespace: "r" }),
      object("table data", "b-data"),
      makeObject({ kind: "extension", name: "x" }),
      object("cast", "c"),
    ),
    "x c f z a b | b-data | tr",
  );
});

Deno.test("[orderObjects] puts objects without a schema behind those that have one", () => {
  assert.equal(order(makeObject({ kind: "default acl", name: "r" }), object("default acl", "t")), "| | t r");
});

Deno.test("[orderObjects] tells objects of one name apart by their keys, numbers as numbers", () => {
  const overload = (count: number, ...types: string[]) =>
    object("function", "f", { key: [count, ...types], oid: 100 - count });
  const ordered = orderObjects([
    overload(10, "a"),
    overload(2, "pg_catalog", "text"),
    overload(2, "pg_catalog", "int4"),
  ], assert.fail);
  assert.deepEqual(ordered.slice(0, 3).map(({ key }) => key), [
    [2, "pg_catalog", "int4"],
    [2, "pg_catalog", "text"],
    [10, "a"],
  ]);
});

Deno.test("[orderObjects] moves an object no further than what it needs asks", () => {
  const [a, b, c, f] = [
    object("table", "a"),
    object("table", "b"),
    object("table", "c"),
    object("function", "f"),
  ];
  need(a, c);
  need(f, b);
  assert.equal(order(a, b, c, f), "b f c a | |");
});

Deno.test("[orderObjects] keeps what is after the data behind it, whatever it needs", () => {
  const [table, data, index] = [object("table", "t"), object("table data", "d"), object("index", "i")];
  need(index, table);
  need(data, table);
  assert.equal(order(index, data, table), "t | d | i");
});

Deno.test("[orderObjects] drops dependencies on itself and of an inline part on its whole", () => {
  const table = object("table", "t");
  const check = object("constraint", "c", { whole: table, form: "inline" });
  need(table, table, check);
  need(check, table);
  assert.equal(order(table, check), "c t | |");
});

Deno.test("[compareText] orders by code point, not by UTF-16 unit", () => {
  assert.ok(compareText("\u{1f600}", "\uff5e") > 0, "an emoji comes after a fullwidth tilde, as in UTF-8");
  assert.ok(compareText("a", "ab") < 0);
  assert.ok(compareText("Z", "a") < 0);
  assert.equal(compareText("é", "é"), 0);
});

Deno.test("[orderObjects] follows a chain of 20,000 objects to its end", () => {
  const objects = Array.from({ length: 20_000 }, (_, number) => object("table", `t${number}`));
  for (let number = 1; number < objects.length; number++) need(objects[number]!, objects[number - 1]!);
  const ordered = orderObjects(objects, assert.fail);
  assert.equal(ordered[19_999]!.name, "t19999");
});

Deno.test("[orderObjects] looks no more often at an object on no loop when there are more loops", () => {
  /** How often the needs of a table are read beside views that group by a primary key, each in a loop of its own. */
  const reads = (views: number) => {
    let count = 0;
    const bystander = object("table", "bystander");
    const { needs } = bystander;
    Object.defineProperty(bystander, "needs", {
      get() {
        count++;
        return needs;
      },
    });
    const objects = [bystander];
    for (let number = 0; number < views; number++) {
      const table = object("table", `t${number}`);
      const key = object("constraint", `k${number}`);
      const view = object("table", `v${number}`, { relkind: "v" });
      const rule = object("rule", "_RETURN", { whole: view, form: "inline" });
      need(key, table);
      need(view, rule);
      need(rule, view, table, key);
      objects.push(table, key, view, rule);
    }
    orderObjects(objects, assert.fail);
    assert.equal(objects.filter(({ form }) => form === "dummy").length, views);
    return count;
  };
  assert.equal(reads(30), reads(1));
});
