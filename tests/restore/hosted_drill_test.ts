/**
 * A drill of what a hosted project has: extensions that this machine lacks, grants on members, event triggers, and
 * legal oddities.
 */
import assert from "node:assert/strict";
import { WHOLE } from "../../cli/plan/plan_restore.ts";
import { scratchServer } from "../../cli/restore/scratch.ts";
import { hostedSource, restoreInto } from "./hosted.ts";

const LONG = "a_name_of_a_policy_that_is_as_long_as_the_server_lets_a_name_be";

const SCENE = `
  create table public.plays (id bigint generated always as identity primary key, title text);
  alter table public.plays enable row level security;
  create policy two_roles on public.plays for select to authenticated, anon using (true);
  create policy ${LONG} on public.plays for update to authenticated using (true);
  insert into public.plays (title) values ('Hamlet'), ('Medea');
  -- Constraints that old rows break.
  create table public.c (id int primary key, n int);
  insert into public.c values (1, -1);
  alter table public.c add constraint c_pos check (n > 0) not valid;
  create table public.b (a_id bigint);
  insert into public.b values (77);
  alter table public.b add constraint b_a foreign key (a_id) references public.plays not valid;
  -- An index that is not valid, because a partition lacks its part.
  create table public.events (at date not null) partition by range (at);
  create table public.events_2025 partition of public.events for values from ('2025-01-01') to ('2026-01-01');
  create table public.events_2026 partition of public.events for values from ('2026-01-01') to ('2027-01-01');
  insert into public.events values ('2025-05-05'), ('2026-06-06');
  create index events_at on only public.events (at);
  create index events_2025_at on public.events_2025 (at);
  alter index public.events_at attach partition public.events_2025_at;
`;

for (const variant of ["today", "older"] as const) {
  Deno.test(`a drill of a hosted project's database, variant ${variant}, fails in nothing, and names what it did not try`, async () => {
    await using source = await hostedSource(variant, SCENE);
    const scratch = await scratchServer(source.archive.entries);
    try {
      const options = { ...WHOLE, settle: false, withoutMissing: true };
      const { account, of, table } = await restoreInto(source.archive, scratch.target, options);
      assert.equal(account.outcome, "restored", JSON.stringify(account, null, 2));
      assert.deepEqual(of("failed"), [], table);
      assert.deepEqual(of("unchecked").map((line) => line.replace(/^.*?: /, "")), [
        `existing rows violate NOT VALID constraints: "public"."c" c_pos`,
      ]);
      assert.ok(of("passed").length > 40);
      const skipped = of("skipped").join("\n");
      assert.match(skipped, /extension: .*supabase_vault: needs a missing extension/);
      assert.match(skipped, /table data: .*vault\.secrets: needs a missing extension/);
      assert.match(skipped, /event trigger: .*issue_pg_cron_access: only a superuser can create it/);
    } finally {
      await scratch.end();
    }
  });
}
