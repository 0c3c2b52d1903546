/** Rows for a project whose definitions are there already: no trigger acts on them again, and every key is checked. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { checksTable } from "../../cli/compare/checks_table.ts";
import { countOf } from "../../supabase/functions/backup/compare/check.ts";
import { compareRestored } from "../../supabase/functions/backup/compare/compare_restored.ts";
import { makePlan, type RestoreOptions, WHOLE } from "../../cli/plan/plan_restore.ts";
import { runRestore } from "../../cli/restore/run_restore.ts";
import { fetchSource } from "../../cli/source/source.ts";
import { openTarget } from "../../cli/target/target.ts";
import { startStack } from "../../stack/stack.ts";
import { backedUpProject, enableWebhooks, originOf } from "./scene.ts";

const MORE = `
  create table books.bookings (id int primary key, day date not null references books.days (day));
  insert into books.bookings select n, '2026-12-25'::date + n from generate_series(1, 10) n;
  create table public.noted (id int);
  create function public.note() returns trigger language plpgsql security definer set search_path = '' as
    $f$ begin insert into public.noted values (new.id); return new; end $f$;
  create trigger noting after insert on books.bookings for each row execute function public.note();
  create trigger noting_always after insert on books.bookings for each row execute function public.note();
  alter table books.bookings enable always trigger noting_always;
  create trigger noting_never after insert on books.bookings for each row execute function public.note();
  alter table books.bookings disable trigger noting_never;
`;

Deno.test("definitions first, rows later", async (test) => {
  const folder = await Deno.makeTempDir();
  const { project, name } = await backedUpProject(MORE);
  const second = await startStack({ migrate: false });
  const [sql, superuser] = [second.databaseUrl, second.superuserUrl].map((url) =>
    postgres(url, { max: 1, onnotice: () => {} })
  );
  try {
    await enableWebhooks(superuser!);
    // Hosted, supautils allows it.
    await superuser!`grant set on parameter session_replication_role to postgres`;
    const source = await fetchSource(originOf(project), name, folder, () => {});
    const restore = async (some: Partial<RestoreOptions>) => {
      const options = { ...WHOLE, ...some };
      const target = await openTarget(second.databaseUrl);
      try {
        const plan = await makePlan(source.archive, target, options);
        await runRestore(source.archive, target, plan, options);
        const checks = await compareRestored(source.archive, source.manifest, plan, target, {
          wasEmpty: false,
        });
        const { failed, unchecked } = countOf(checks);
        assert.deepEqual([failed, unchecked], [0, 0], checksTable(checks).join("\n"));
        return plan;
      } finally {
        await target.session.close();
      }
    };
    const rows = async (table: string) =>
      Number((await sql!.unsafe(`select count(*) from ${table}`))[0]!.count);

    await test.step("definitions only leave every table empty", async () => {
      await restore({ schemaOnly: true });
      assert.deepEqual([await rows("books.bookings"), await rows("auth.users")], [0, 0]);
    });

    await test.step("rows only fill them, and no trigger makes rows of its own or calls anybody", async () => {
      const { notes } = await restore({ dataOnly: true });
      assert.deepEqual(notes.filter((note) => /trigger/.test(note)), []);
      assert.deepEqual([await rows("auth.users"), await rows("public.members")], [3, 3]);
      assert.deepEqual([await rows("books.bookings"), await rows("public.noted")], [10, 0]);
      assert.equal(await rows("supabase_functions.hooks"), 0);
    });

    await test.step("and then every trigger is as it was", async () => {
      const triggers = await sql!`
        select tgname as name, tgenabled::text as state from pg_trigger where tgname like 'noting%' order by 1`;
      assert.deepEqual(triggers.map(({ name, state }) => `${name} ${state}`), [
        "noting O",
        "noting_always A",
        "noting_never D",
      ]);
      await sql!`insert into books.bookings values (11, '2026-12-26')`;
      assert.equal(await rows("public.noted"), 2);
    });

    await test.step("rows that break a key are refused, and nothing is changed", async () => {
      await sql!`delete from books.bookings`;
      await sql!`delete from books.days where day = '2026-12-26'`;
      await assert.rejects(
        restore({ dataOnly: true, tables: ["books.bookings"] }),
        (error: Error & { hint?: string }) =>
          /violates foreign key constraint/.test(error.message) && /--into-schema/.test(error.hint!),
      );
      assert.equal(await rows("books.bookings"), 0);
      const [noting] = await sql!`select tgenabled::text as state from pg_trigger where tgname = 'noting'`;
      assert.equal(noting!.state, "O");
    });
  } finally {
    await Promise.allSettled([sql!.end({ timeout: 1 }), superuser!.end({ timeout: 1 })]);
    await second.stop();
    await project[Symbol.asyncDispose]();
    await Deno.remove(folder, { recursive: true });
  }
});
