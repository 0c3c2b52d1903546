/** Accidents in a hosted project, and a restore into the very project: what is gone comes back, what is there stays. */
import assert from "node:assert/strict";
import { type RestoreOptions, WHOLE } from "../../cli/plan/plan_restore.ts";
import { makePlan } from "../../cli/plan/plan_restore.ts";
import { checksTable } from "../../cli/compare/checks_table.ts";
import { openTarget } from "../../cli/target/target.ts";
import { compareRestored } from "../../supabase/functions/backup/compare/compare_restored.ts";
import { hostedSource, restoreInto, run } from "./hosted.ts";

const MORE = `
  create extension pg_trgm with schema public;
  create function public.touch() returns trigger language plpgsql as 'begin return new; end';
  create trigger touched before update on public.members for each row execute function public.touch();
  create policy own on public.members for update to authenticated using (name = 'Anna');
  create index titles on public.diary using gin ((text::text) public.gin_trgm_ops);
  grant usage on schema public to accountant;
  alter default privileges in schema public grant select on tables to accountant;
  comment on schema public is 'ours';
  select backup.configure(function_url => 'https://abcdefghijklmnopqrst.supabase.co/functions/v1/backup');
`;

Deno.test("accidents in a hosted project", async (test) => {
  await using source = await hostedSource("today", MORE);
  const { url, superuserUrl } = source.database;
  const restored = async (options: Partial<RestoreOptions>) => {
    const target = await openTarget(url);
    try {
      return await restoreInto(source.archive, target, { ...WHOLE, withoutMissing: true, ...options });
    } finally {
      await target.session.close();
    }
  };
  /** As if the whole had been restored. */
  const wrong = async () => {
    const target = await openTarget(url);
    try {
      const plan = await makePlan(source.archive, target, { ...WHOLE, withoutMissing: true, clean: true });
      const checks = await compareRestored(source.archive, null, plan, target, { wasEmpty: false });
      const bad = checks.filter(({ outcome }) => outcome === "failed" || outcome === "unchecked");
      return checksTable(bad).join("\n");
    } finally {
      await target.session.close();
    }
  };

  await test.step("a table that was dropped comes back with its policies and triggers", async () => {
    await run(url, "drop table public.members cascade");
    const { account, of, table } = await restored({ tables: ["public.members"], clean: true });
    assert.equal(account.outcome, "restored", JSON.stringify(account, null, 2));
    assert.deepEqual(of("failed"), [], table);
    assert.equal(await wrong(), "");
  });

  await test.step("the whole comes back over a part of it", async () => {
    await run(url, "drop table public.members cascade; drop table books.entries; delete from public.diary");
    const { account, of, table, plan } = await restored({ clean: true });
    assert.equal(account.outcome, "restored", JSON.stringify(account, null, 2));
    assert.deepEqual([of("failed"), of("unchecked")], [[], []], table);
    assert.deepEqual(plan.toDo.filter(({ what }) => /Vault/.test(what)), [], "its secrets are still there");
    assert.equal(await wrong(), "");
  });

  await test.step("a schema public that was dropped comes back with owner, grants, default privileges, extensions", async () => {
    await run(url, "drop schema public cascade");
    const { account, of, table, plan } = await restored({ schemas: ["public"], withDependents: true });
    assert.equal(account.outcome, "restored", JSON.stringify(account, null, 2));
    assert.deepEqual(of("failed"), [], table);
    assert.match(plan.notes.join(), /no schema public; it is created/);
    const defaults = plan.toDo.find(({ what }) => /default privileges of supabase_admin/.test(what))!;
    await run(superuserUrl, defaults.sql);
    assert.equal(await wrong(), "");
    await run(
      superuserUrl,
      `do $$ begin
        assert (select nspowner::regrole::text from pg_namespace where nspname = 'public') = 'pg_database_owner';
        assert has_schema_privilege('anon', 'public', 'usage');
        assert exists (select from pg_extension where extname = 'pg_trgm');
      end $$`,
    );
  });
});
