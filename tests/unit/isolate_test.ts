import assert from "node:assert/strict";
import { ENTERING, EVALUATION, RETIRED } from "../../supabase/functions/backup/budget.ts";
import { Isolate } from "../../supabase/functions/backup/isolate.ts";

/** Shares are sums of fractions. */
function near(share: number | undefined, expected: number): void {
  assert.ok(Math.abs(share! - expected) < 1e-9, `${share} instead of ${expected}`);
}

Deno.test("[Isolate] works on one call at a time, and a later one knows what is spent", () => {
  const isolate = new Isolate();
  const first = isolate.begin();
  near(first?.before, EVALUATION + ENTERING);
  assert.equal(isolate.begin(), null);
  first!.end(0.25);
  near(isolate.begin()?.before, EVALUATION + 2 * ENTERING + 0.25);
});

Deno.test("[Isolate] that still gets calls is not retired, whatever it seemed to have spent", () => {
  const isolate = new Isolate();
  isolate.begin()!.end(0.9);
  near(isolate.begin()?.before, RETIRED + ENTERING);
});

Deno.test("[Isolate] that outlives its life has a new one for each call", () => {
  const isolate = new Isolate();
  for (let call = 0; call < 3; call++) isolate.begin()!.end(1);
  near(isolate.begin()?.before, EVALUATION + ENTERING);
});

Deno.test("[Isolate] hears an ended call once: a second word of it must not free the next call's turn", () => {
  const isolate = new Isolate();
  const first = isolate.begin()!;
  first.end(0.1);
  const second = isolate.begin()!;
  first.end(0.1);
  assert.equal(isolate.begin(), null);
  second.end(0);
});

function warned(isolate: Isolate, reason: string): void {
  const platform = new EventTarget();
  isolate.listen(platform);
  platform.dispatchEvent(new CustomEvent("beforeunload", { detail: { reason } }));
}

Deno.test("[Isolate] takes no call once the platform has said that it ends, and tells why", () => {
  for (const reason of ["memory", "wall_clock", "early_drop", "termination"]) {
    const isolate = new Isolate();
    warned(isolate, reason);
    assert.equal(isolate.stopping.reason, reason);
    assert.equal(isolate.begin(), null);
  }
});

Deno.test("[Isolate] that was warned of its CPU ends its work, and takes the call that comes all the same", () => {
  const isolate = new Isolate();
  const first = isolate.begin()!;
  warned(isolate, "cpu");
  assert.equal(isolate.stopping.reason, "cpu");
  assert.equal(isolate.begin(), null, "while it ends its work");
  first.end(1);
  assert.notEqual(isolate.begin(), null, "no zombie");
  assert.equal(isolate.stopping.aborted, false);
});

Deno.test("[Isolate] interrupts what can be interrupted, and begins when that has ended", async () => {
  const isolate = new Isolate();
  const interruption = new AbortController();
  const copying = isolate.begin(interruption)!;
  assert.ok(isolate.canInterrupt);
  interruption.signal.addEventListener("abort", () => copying.end(0.1));
  const turn = await isolate.interrupt();
  near(turn?.before, EVALUATION + 2 * ENTERING + 0.1);
  assert.match(`${interruption.signal.reason}`, /needed for a backup/);
  assert.ok(!isolate.canInterrupt, "a run is interrupted by nobody");
  assert.equal(isolate.begin(), null);
});

Deno.test("[Isolate] who can wait begins as soon as the call at work has ended", async () => {
  const isolate = new Isolate();
  const first = isolate.begin()!;
  const waiting = isolate.beginSoon(null);
  first.end(0.25);
  near((await waiting)?.before, EVALUATION + 2 * ENTERING + 0.25);
});
