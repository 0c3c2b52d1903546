/** Each loop as it comes about, and how it is repaired. */
import assert from "node:assert/strict";
import { orderObjects } from "../../../supabase/functions/backup/toc/order.ts";
import { names, need, object } from "./objects.ts";

Deno.test("a base type's functions are made for its shell", () => {
  const shell = object("shell type", "t", { form: "omitted" });
  const type = object("type", "t", { shell });
  const [input, output] = [object("function", "in"), object("function", "out")];
  need(type, input, output);
  need(input, type);
  need(output, type);
  assert.equal(names(orderObjects([input, output, type, shell], assert.fail)), "t in out t | |");
  assert.equal(shell.form, "normal");
  assert.ok(!input.needs.includes(type) && input.needs.includes(shell));
});

Deno.test("a type whose functions do not need it keeps its shell to itself", () => {
  const shell = object("shell type", "t", { form: "omitted" });
  orderObjects([object("type", "t", { shell }), shell], assert.fail);
  assert.equal(shell.form, "omitted");
});

Deno.test("a view that its own rule's function needs gets null columns first, and its rule after the data", () => {
  const view = object("table", "v", { relkind: "v" });
  const rule = object("rule", "_RETURN", { whole: view, form: "inline" });
  const func = object("function", "f");
  need(view, rule);
  need(rule, view, func);
  need(func, view);
  const order = orderObjects([view, rule, func], assert.fail);
  assert.equal(names(order), "v f | | _RETURN");
  assert.equal(view.form, "dummy");
  assert.equal(rule.form, "normal");
});

Deno.test("a view and its rule alone stay one", () => {
  const view = object("table", "v", { relkind: "v" });
  const rule = object("rule", "_RETURN", { whole: view, form: "inline" });
  need(view, rule);
  need(rule, view);
  orderObjects([view, rule], assert.fail);
  assert.equal(view.form, "normal");
  assert.equal(rule.form, "inline");
});

for (
  const [what, parts] of [
    ["a materialized view", { kind: "table", relkind: "m" }],
    ["a function", { kind: "function", relkind: "" }],
  ] as const
) {
  Deno.test(`${what} that needs a primary key comes after the data`, () => {
    const late = object(parts.kind, "late", { relkind: parts.relkind });
    const table = object("table", "t", { relkind: "r" });
    const data = object("table data", "d");
    const key = object("constraint", "pk", { key: [1, "t"] });
    need(key, table);
    need(data, table);
    need(late, key, table);
    const order = orderObjects([late, table, data, key], assert.fail);
    assert.equal(names(order), "t | d | pk late");
    assert.equal(late.form, "postponed");
    assert.equal(table.form, "normal");
  });
}

Deno.test("what needs a postponed materialized view is postponed with it", () => {
  const [first, second] = [object("table", "m1", { relkind: "m" }), object("table", "m2", { relkind: "m" })];
  const key = object("constraint", "pk", { key: [1, "t"] });
  need(first, key);
  need(second, first);
  const order = orderObjects([first, second, key], assert.fail);
  assert.deepEqual([first.form, second.form], ["postponed", "postponed"]);
  assert.ok(order.indexOf(second) > order.indexOf(first));
});

Deno.test("a check that needs a function of its table's rows gets an entry after the data", () => {
  const table = object("table", "t", { relkind: "r" });
  const check = object("constraint", "c", { whole: table, form: "inline" });
  const func = object("function", "f");
  need(table, check);
  need(check, table, func);
  need(func, table);
  assert.equal(names(orderObjects([table, check, func], assert.fail)), "t f | | c");
  assert.equal(check.form, "normal");
});

Deno.test("a default that needs a sequence of its table gets an entry before the data", () => {
  const table = object("table", "t", { relkind: "r" });
  const sequence = object("table", "t_id_seq", { relkind: "S" });
  const byDefault = object("default", "t", { key: [1], whole: table, form: "inline" });
  need(table, byDefault);
  need(byDefault, table, sequence);
  need(sequence, table);
  const order = orderObjects([table, sequence, byDefault], assert.fail);
  assert.deepEqual(order.map(({ kind }) => kind).slice(0, 3), ["table", "table", "default"]);
  assert.equal(byDefault.form, "normal");
});

Deno.test("a domain's check that needs a function of the domain gets an entry after the data", () => {
  const domain = object("type", "d");
  const check = object("constraint", "c", { whole: domain, form: "inline" });
  const func = object("function", "f");
  need(domain, check);
  need(check, domain, func);
  need(func, domain);
  assert.equal(names(orderObjects([domain, check, func], assert.fail)), "d f | | c");
});

Deno.test("the index of a partitioned table waits for its partition's, not the other way about", () => {
  const parent = object("index", "a");
  const child = object("index", "b", { whole: parent });
  need(parent, child);
  need(child, parent);
  assert.equal(names(orderObjects([parent, child], assert.fail)), "| | b a");
});

Deno.test("a loop that none of these is gets broken with a word about it", () => {
  const [a, b] = [object("collation", "a"), object("collation", "b")];
  need(a, b);
  need(b, a);
  const warnings: string[] = [];
  const order = orderObjects([a, b], (message) => warnings.push(message));
  assert.equal(names(order), "a b | |");
  assert.deepEqual(warnings, [
    "could not resolve dependency loop among these items: collation s a, collation s b",
  ]);
});
