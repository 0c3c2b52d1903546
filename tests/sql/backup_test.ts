/** The pgTAP suites of the schema `backup`. */
import { apply, startSqlProject } from "./project.ts";
import { prepareSuites, proveAll } from "./prove.ts";
import { migrations } from "./sources.ts";

Deno.test("the schema backup, by pgTAP", async (t) => {
  const project = await startSqlProject();
  try {
    await apply(project.sql, await migrations());
    await prepareSuites(project);
    await proveAll(t, project.url, new URL("./backup/", import.meta.url));
  } finally {
    await project.stop();
  }
});
