import assert from "node:assert/strict";
import { Isolate } from "../../supabase/functions/backup/isolate.ts";

Deno.test("[Isolate] works on one call at a time", () => {
  const isolate = new Isolate();
  const first = isolate.begin();
  assert.equal(first?.share, 1);
  assert.equal(isolate.begin(), null);
  first!.end(0.2);
  assert.equal(isolate.begin()?.share, 0.8);
});

Deno.test("[Isolate] gives a later call what is left, and half a budget at least", () => {
  const isolate = new Isolate();
  isolate.begin()!.end(0.9);
  assert.equal(isolate.begin()?.share, 0.5);
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

Deno.test("[Isolate] takes no call once the platform has said that it ends, and tells why", () => {
  const isolate = new Isolate();
  const platform = new EventTarget();
  isolate.listen(platform);
  platform.dispatchEvent(new CustomEvent("beforeunload", { detail: { reason: "cpu" } }));
  assert.equal(isolate.stopping.reason, "cpu");
  assert.equal(isolate.begin(), null);
});
Deno.test("[Isolate] interrupts what can be interrupted, and begins when that has ended", async () => {
  const isolate = new Isolate();
  const interruption = new AbortController();
  const copying = isolate.begin(interruption)!;
  assert.ok(isolate.canInterrupt);
  interruption.signal.addEventListener("abort", () => copying.end(0.1));
  const turn = await isolate.interrupt();
  assert.equal(turn?.share, 0.9);
  assert.match(`${interruption.signal.reason}`, /needed for a backup/);
  assert.ok(!isolate.canInterrupt, "a run is interrupted by nobody");
  assert.equal(isolate.begin(), null);
});

Deno.test("[Isolate] who can wait begins as soon as the call at work has ended", async () => {
  const isolate = new Isolate();
  const first = isolate.begin()!;
  const waiting = isolate.beginSoon(null);
  first.end(0.25);
  assert.equal((await waiting)?.share, 0.75);
});
