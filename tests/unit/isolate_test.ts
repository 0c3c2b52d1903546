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
