/** Figures and kinds in words. */
import assert from "node:assert/strict";
import { checksTable } from "../../cli/compare/checks_table.ts";
import { kindsInWords } from "../../cli/plan/entry_kinds.ts";
import { counted } from "../../cli/terminal/format.ts";
import { plain } from "../../cli/terminal/style.ts";

Deno.test("one thing is one, and several are several", () => {
  assert.deepEqual([counted(1, "row"), counted(1234, "row")], ["1 row", "1,234 rows"]);
  const kinds = ["TABLE", "TABLE", "POLICY", "ACL", "ACL", "INDEX", "INDEX", "FK CONSTRAINT", "ENCODING"];
  assert.equal(
    kindsInWords(kinds.map((desc) => ({ desc }))),
    "2 tables, 1 policy, 2 grants, 2 indexes, 1 foreign key",
  );
});

Deno.test("a comparison shows what did not pass, failures last, and no line for what did", () => {
  const lines = checksTable([
    { what: "rows", outcome: "failed", detail: "5 instead of 6" },
    { what: "grants", outcome: "passed", detail: "" },
    { what: "jobs", outcome: "skipped", detail: "left out" },
  ]).map(plain);
  assert.deepEqual(lines.slice(2), ["skipped │ jobs │ left out", "failed  │ rows │ 5 instead of 6"]);
  assert.deepEqual(checksTable([{ what: "grants", outcome: "passed", detail: "" }]), []);
});
