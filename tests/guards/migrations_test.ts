/** The migrations and the declarative schemas are two ways to one database. */
import assert from "node:assert/strict";
import { readFrozen, readMigrations, readSchemas, readSetup, type Texts } from "../../build/frozen.ts";
import { migrationFaults, viewComments } from "../../build/migrations.ts";
import { apply, startSqlProject } from "../sql/project.ts";
import { difference, schemaText } from "../sql/schema_text.ts";
import { migrations, schemas } from "../sql/sources.ts";

Deno.test("released migrations stay as they are, and no source is without its migration", async () => {
  const frozen = await readFrozen();
  const migrations = await readMigrations();
  const sources = new Map([...await readSchemas(), ...await readSetup()]);
  assert.deepEqual(migrationFaults(frozen, migrations, sources), []);

  const [first, schema] = [[...migrations.keys()][0]!, [...sources.keys()][0]!];
  const changed = (texts: Texts, path: string) => new Map(texts).set(path, `${texts.get(path)}-- changed\n`);
  const faults = (changedMigrations: Texts, changedSources = sources) =>
    migrationFaults(frozen, changedMigrations, changedSources).join("\n");
  assert.match(faults(changed(migrations, first)), new RegExp(`^supabase/${first} is frozen`));
  assert.match(faults(new Map([...migrations].slice(1))), new RegExp(`^supabase/${first} is frozen`));
  assert.match(faults(new Map(migrations).set("migrations/1_new.sql", "")), /1_new\.sql is not in build/);
  assert.match(faults(migrations, changed(sources, schema)), new RegExp(`^No migration has .*${schema}`));
});

Deno.test("what concerns versioning is a migration of its own, since a project may leave versioning out", async () => {
  for (const [path, text] of await readMigrations()) {
    const named = path.includes("versioning");
    assert.equal(/\bversioning(_private)?"?\./.test(text), named, path);
    assert.equal(/\bbackup"?\.[_a-z]+"?\(/.test(text), !named, path);
  }
});

/** Later ones are what `supabase db diff` writes, and run once. */
const FIRST_RELEASE = /\/2026110\d{7,}_/;

Deno.test("migrations and declarative schemas", async (t) => {
  const [migrated, declared] = await Promise.all([startSqlProject(), startSqlProject()]);
  try {
    const all = await migrations();
    const first = all.filter(({ path }) => FIRST_RELEASE.test(path));
    await t.step(
      "those of the first release may run twice, and leave what a person has changed since",
      async () => {
        const { sql } = migrated;
        await apply(sql, first);
        await sql`select backup.configure(function_url => 'https://project.example/functions/v1/backup', level => 6)`;
        await sql`select backup.schedule('30 2 * * *')`;
        const state = async () => [
          await schemaText(migrated),
          ...await sql`select to_jsonb(s) from backup.settings s`,
          ...await sql`select to_jsonb(j) from cron.job j`,
          ...await sql`select to_jsonb(b) - 'updated_at' from storage.buckets b`,
        ];
        const before = await state();
        await apply(sql, first);
        assert.deepEqual(await state(), before);
      },
    );

    await t.step("make the same database", async () => {
      await apply(migrated.sql, all.filter((migration) => !first.includes(migration)));
      await apply(declared.sql, await schemas());
      const text = await schemaText(migrated);
      assert.match(text, /CREATE TABLE backup\.log/);
      assert.equal(text, await schemaText(declared));
      assert.equal(await difference(migrated, declared), "");
      const [settings] = await migrated.sql`select level from backup.settings`;
      assert.equal(settings!["level"], 6, "later migrations leave it as well");
      await apply(declared.sql, await schemas());
      assert.equal(await schemaText(declared), text, "the schemas may run twice");
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

Deno.test("a migration brings the comments on columns of views, which db diff leaves out", () => {
  const view = "comment on column a.v.x is\n    'It''s x; '\n    'and more.';";
  const text =
    `create or replace view a.v as select 1 as x;\n${view}\ncomment on column a.t.y is 'a table''s';\n`;
  assert.equal(viewComments(text), view);
});
