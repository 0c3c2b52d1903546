/** The pgTAP suites of the schema `backup`, and the list of its functions in docs/design.md. */
import assert from "node:assert/strict";
import { DESIGN, listFunctions, withList } from "../../build/sql_functions.ts";
import { apply, startSqlProject } from "./project.ts";
import { prepareSuites, proveAll } from "./prove.ts";
import { migrations } from "./sources.ts";

Deno.test("the schema backup, by pgTAP", async (t) => {
  const project = await startSqlProject();
  try {
    await apply(project.sql, await migrations());
    await t.step("docs/design.md lists the functions as `npm run docs` does", async () => {
      const document = await Deno.readTextFile(DESIGN);
      assert.equal(document, withList(document, await listFunctions(project.sql)), "run: npm run docs");
    });
    await prepareSuites(project);
    await proveAll(t, project.url, new URL("./backup/", import.meta.url));
  } finally {
    await project.stop();
  }
});
