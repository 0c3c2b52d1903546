/**
 * A tenant, an ordinary role that owns a schema, tries to have its code run with the rights of those who record, read
 * and restore histories. docs/security.md says what does run, and as whom: what PostgreSQL itself runs when that role
 * reads or writes the table. Later servers are tried by tests/large.
 */
import assert from "node:assert/strict";
import { attackHistories, MIGRATION } from "./attack/attack.ts";
import { openScene } from "./attack/scene.ts";

Deno.test("a tenant's code runs with nobody's rights through histories", (t) => attackHistories(t));

Deno.test("versioning is not installed into a schema of somebody else", async () => {
  const migration = await Deno.readTextFile(MIGRATION);
  const scene = await openScene(migration);
  try {
    for (const schema of ["versioning", "versioning_private"]) {
      await scene.superuser.unsafe(
        `drop schema if exists versioning, versioning_private cascade; create schema ${schema} authorization tenant;
         grant all on schema ${schema} to owner`,
      ).simple();
      await assert.rejects(
        scene.as("owner").unsafe(migration).simple(),
        new RegExp(`Cannot install versioning: schema "${schema}" belongs to another role`),
      );
    }
  } finally {
    await scene.stop();
  }
});
