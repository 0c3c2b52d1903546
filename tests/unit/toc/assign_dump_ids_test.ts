import assert from "node:assert/strict";
import { assignDumpIds, heading } from "../../../supabase/functions/backup/toc/assign_dump_ids.ts";
import { attachedEntry, mainEntry, need, object } from "./objects.ts";

Deno.test("[assignDumpIds] numbers the heading first, then entries in order", () => {
  const { entries } = assignDumpIds(heading("UTF8"), [object("table", "a"), object("table", "b")]);
  assert.deepEqual(
    entries.map(({ dumpId, tag }) => [dumpId, tag]),
    [[1, "ENCODING"], [2, "STDSTRINGS"], [3, "SEARCHPATH"], [4, "a"], [5, "b"]],
  );
});

Deno.test("[assignDumpIds] names, for what has no entry, what that needs in turn", () => {
  const [schema, table] = [object("schema", "s"), object("table", "t")];
  const rule = object("rule", "_RETURN", { form: "inline", needs: [table, table] });
  const view = object("table", "v", { needs: [rule, schema] });
  const { entries } = assignDumpIds([], [schema, table, rule, view]);
  assert.deepEqual(entries.map(({ tag, dependencies }) => [tag, dependencies]), [
    ["s", []],
    ["t", []],
    ["v", [2, 1]],
  ]);
});

Deno.test("[assignDumpIds] does not look through the boundaries between sections", () => {
  const table = object("table", "t");
  const boundary = object("pre-data boundary", "PRE-DATA BOUNDARY", { needs: [table], render: () => [] });
  const data = object("index", "i", { needs: [boundary] });
  assert.deepEqual(assignDumpIds([], [table, boundary, data]).entries[1]!.dependencies, []);
});

Deno.test("[assignDumpIds] lets grants on a column need those on the table", () => {
  const table = object("table", "t", {
    render: () => {
      const grants = attachedEntry(table, { desc: "ACL", tag: "TABLE t", definition: "" });
      return [
        mainEntry(table, { desc: "TABLE" }),
        grants,
        attachedEntry(table, { desc: "ACL", tag: "COLUMN t.a", definition: "", needs: [table, grants] }),
      ];
    },
  });
  const { entries } = assignDumpIds([], [table]);
  assert.deepEqual(entries.map(({ dependencies }) => dependencies), [[], [1], [1, 2]]);
});

Deno.test("[assignDumpIds] keeps a number for an object that has no entry but is named", () => {
  const member = object("table", "member", {
    render: () => [attachedEntry(member, { desc: "ACL", tag: "TABLE member", definition: "" })],
  });
  const { entries } = assignDumpIds([], [member]);
  assert.deepEqual(entries.map(({ dumpId, dependencies }) => [dumpId, dependencies]), [[2, [1]]]);
});

Deno.test("[assignDumpIds] gives a table's rows the number of their entry", () => {
  const table = object("table", "t");
  const rows = {
    oid: 5,
    schema: "s",
    name: "t",
    qualifiedName: "s.t",
    columnList: "(a)",
    filter: "",
    sliceable: true,
    pages: 1,
    heapBytes: 8192,
    toastBytes: 0,
    owner: "postgres",
    estimatedRows: 3,
  };
  const data = object("table data", "t", {
    render: () => [
      attachedEntry(data, {
        desc: "TABLE DATA",
        tag: "t",
        section: "data",
        definition: null,
        needs: [table],
        data: rows,
      }),
    ],
  });
  need(data, table);
  const numbered = assignDumpIds([], [table, data]);
  assert.deepEqual(numbered.data, [{ ...rows, dumpId: 2 }]);
  assert.deepEqual(numbered.entries.map(({ hasData }) => hasData), [false, true]);
});
