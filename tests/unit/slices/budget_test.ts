import assert from "node:assert/strict";
import { Budget } from "../../../supabase/functions/backup/slices/budget.ts";

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
  quick.spend(30 * MB, 100);
  slow.spend(30 * MB, 500.000001);
  assert.equal(quick.left, 70 * MB);
  assert.equal(slow.left, 40 * MB - 1, "in whole bytes");
});
