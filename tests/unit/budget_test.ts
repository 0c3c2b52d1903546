import assert from "node:assert/strict";
import { Budget } from "../../supabase/functions/backup/budget.ts";

const MB = 1_000_000;

Deno.test("[Budget] counts bytes, and knows what is left and which share is spent", () => {
  const budget = new Budget(100 * MB);
  budget.spend(30 * MB);
  assert.equal(budget.left, 70 * MB);
  assert.equal(budget.share, 0.3);
  budget.spend(90 * MB);
  assert.equal(budget.left, 0);
  assert.equal(budget.share, 1.2);
});

Deno.test("[Budget] counts bytes for more when they took longer than usual, and never for less", () => {
  const [quick, slow] = [new Budget(100 * MB), new Budget(100 * MB)];
  quick.spendExport(30 * MB, 100);
  slow.spendExport(30 * MB, 400.00001);
  assert.equal(quick.left, 70 * MB);
  // Half of the usual cost is compression: 15 MB, and 400 ms of a life of 1,600.
  assert.equal(slow.left, 60 * MB - 1, "in whole bytes");
});

Deno.test("[Budget] counts time by an isolate's life", () => {
  const budget = new Budget(100 * MB);
  budget.spendTime(160);
  assert.equal(budget.lifeMs, 160);
  assert.equal(budget.left, 90 * MB);
  budget.spendTime(9000);
  assert.equal(budget.lifeMs, 2000, "the clock went on while others had the processor");
});

Deno.test("[Budget] expects further text to be as dear as the last slice's", () => {
  const budget = new Budget(100 * MB);
  assert.equal(budget.exportable, 100 * MB);
  // 640 ms for what usually takes 320.
  budget.spendExport(20 * MB, 480);
  assert.equal(budget.left, 60 * MB);
  assert.equal(budget.exportable, 30 * MB);
  budget.spendExport(1000, 5);
  assert.ok(budget.exportable < 30 * MB, "a few rows say nothing of the price");
  budget.spendExport(20 * MB, 100);
  assert.equal(budget.exportable, budget.left);
});

Deno.test("[Budget] leaves what an isolate's life has left, and knows when the platform retires it", () => {
  const budget = new Budget(100 * MB, 0.1);
  assert.equal(budget.left, 90 * MB);
  assert.equal(budget.isRetired(), false);
  budget.spend(40 * MB);
  assert.equal(budget.isRetired(), false);
  assert.equal(budget.isRetired(12.5 * MB), true, "with what is under way");
  assert.equal(budget.isRetired(1 * MB, 192), true, "and with the time that it took");
  budget.spend(12.5 * MB);
  assert.equal(budget.isRetired(), true);
  assert.equal(budget.lifeMs, 1000);
});

Deno.test("[Budget] tells an export that is under way when it must end", () => {
  const budget = new Budget(100 * MB, 0.5);
  budget.spend(40 * MB);
  assert.equal(budget.isOver(16 * MB, 0), false);
  assert.equal(budget.isOver(17 * MB, 0), true, "at 1,700 ms of life, before the platform ends it");
  assert.equal(budget.isOver(10 * MB, 170), false);
  assert.equal(budget.isOver(10 * MB, 200), true);
});
