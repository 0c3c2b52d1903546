import assert from "node:assert/strict";
import { BackupError } from "../../../supabase/functions/backup/errors.ts";
import { reasonOf, scopeOf } from "../../../supabase/functions/backup/worker/error_scope.ts";

const postgresError = (code: string, hint?: string) =>
  Object.assign(new Error("said by the server"), { code, ...(hint === undefined ? {} : { hint }) });

Deno.test("[scopeOf] ends the run where trying again would give the same answer", () => {
  for (const code of ["permission_denied", "row_too_large", "storage_full", "not_configured"] as const) {
    assert.equal(scopeOf(new BackupError(code, "", "")), "run", code);
  }
  assert.equal(scopeOf(postgresError("42501")), "run");
});

Deno.test("[scopeOf] ends the attempt where only another snapshot can help", () => {
  for (const code of ["snapshot_lost", "lock_timeout", "verification_failed", "table_not_read"] as const) {
    assert.equal(scopeOf(new BackupError(code, "", "")), "attempt", code);
  }
  for (const code of ["XX001", "22021", "53100"]) {
    assert.equal(scopeOf(postgresError(code)), "attempt", code);
  }
});

Deno.test("[scopeOf] ends the worker alone for what another worker may not meet", () => {
  for (const code of ["storage_failed", "worker_ended", "internal"] as const) {
    assert.equal(scopeOf(new BackupError(code, "", "")), "worker", code);
  }
  for (const error of [postgresError("57P01"), new Error("anything"), "a text", null, undefined]) {
    assert.equal(scopeOf(error), "worker");
  }
});

Deno.test("[scopeOf] ends nothing for a worker that the run goes on without", () => {
  assert.equal(scopeOf(new BackupError("lease_lost", "", "")), "nothing");
});

Deno.test("[reasonOf] keeps what an error says and always has a hint", () => {
  const said = new BackupError("lock_timeout", "public.t is locked", "Wait.");
  assert.deepEqual(reasonOf(said), { code: "lock_timeout", message: "public.t is locked", hint: "Wait." });
  assert.deepEqual(reasonOf(postgresError("42501", "Grant it.")), {
    code: "permission_denied",
    message: "said by the server",
    hint: "Grant it.",
  });
  for (const error of [postgresError("42501"), postgresError("XX001"), new Error("odd"), null]) {
    assert.ok(reasonOf(error).hint);
  }
});
