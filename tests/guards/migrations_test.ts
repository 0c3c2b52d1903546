/** The migrations and the declarative schemas are two ways to one database, and each migration may run twice. */
import assert from "node:assert/strict";
import { apply, startSqlProject } from "../sql/project.ts";
import { difference, schemaText } from "../sql/schema_text.ts";
import { migrations, schemas } from "../sql/sources.ts";

Deno.test("migrations and declarative schemas", async (t) => {
  const [migrated, declared] = await Promise.all([startSqlProject(), startSqlProject()]);
  try {
    await t.step("make the same database", async () => {
      await apply(migrated.sql, await migrations());
      await apply(declared.sql, await schemas());
      const text = await schemaText(migrated);
      assert.match(text, /CREATE TABLE backup\.log/);
      assert.equal(text, await schemaText(declared));
      assert.equal(await difference(migrated, declared), "");
    });

    await t.step("may run twice, and leave what a person has changed since", async () => {
      const { sql } = migrated;
      await sql`select backup.configure(function_url => 'https://project.example/functions/v1/backup', level => 6)`;
      await sql`select backup.schedule('30 2 * * *')`;
      const state = async () => [
        await schemaText(migrated),
        ...await sql`select to_jsonb(s) from backup.settings s`,
        ...await sql`select to_jsonb(j) from cron.job j`,
        ...await sql`select to_jsonb(b) - 'updated_at' from storage.buckets b`,
      ];
      const before = await state();
      await apply(sql, await migrations());
      assert.deepEqual(await state(), before);
      await apply(declared.sql, await schemas());
      assert.equal(await schemaText(declared), before[0]);
    });

    await t.step("are seen to differ when they do", async () => {
      await declared.sql`alter table backup.log add column odd text`;
      const changes = await difference(migrated, declared);
      assert.match(changes, /ADD COLUMN "odd" text/);
      assert.notEqual(await schemaText(migrated), await schemaText(declared));
      await declared.sql`alter table backup.log drop column odd`;
      assert.equal(await schemaText(migrated), await schemaText(declared));
      await declared.sql`grant select on backup.calls to service_role`;
      assert.notEqual(await schemaText(migrated), await schemaText(declared));
    });
  } finally {
    await Promise.all([migrated.stop(), declared.stop()]);
  }
});
