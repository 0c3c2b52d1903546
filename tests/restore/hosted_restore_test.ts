/** What hosted projects hold, older ones as well, on a plain server and in a new project. */
import assert from "node:assert/strict";
import { type RestoreOptions, WHOLE } from "../../cli/plan/plan_restore.ts";
import { openTarget, type Target } from "../../cli/target/target.ts";
import { startProjectDatabase } from "../../stack/postgres/project.ts";
import { RESTORED, startRestoreTarget } from "../../stack/postgres/restore_target.ts";
import { restoreList } from "../../supabase/functions/backup/restore_guide/restore_list.ts";
import { type HostedSource, hostedSource, restoreInto } from "./hosted.ts";

const OPTIONS: RestoreOptions = { ...WHOLE, withoutMissing: true };

async function plainTarget(): Promise<{ target: Target; end: () => Promise<void> }> {
  const cluster = await startRestoreTarget();
  const target = await openTarget(cluster.url(RESTORED));
  return { target, end: () => target.session.close().then(() => cluster.stop()) };
}

async function newProject(): Promise<{ target: Target; end: () => Promise<void> }> {
  const database = await startProjectDatabase({ variant: "today" });
  const target = await openTarget(database.url);
  return { target, end: () => target.session.close().then(() => database.stop()) };
}

async function ask({ session }: Target, sql: string): Promise<unknown> {
  const [row] = await session.sql.unsafe(sql);
  return Object.values(row!)[0];
}

for (const variant of ["today", "older"] as const) {
  Deno.test(`what a hosted project holds, variant ${variant}`, async (test) => {
    await using source: HostedSource = await hostedSource(variant);

    await test.step("comes back on a plain server, but for extensions that it lacks and what needs them", async () => {
      const { target, end } = await plainTarget();
      try {
        const { account, of, table, plan } = await restoreInto(source.archive, target, OPTIONS);
        assert.equal(account.outcome, "restored", JSON.stringify(account, null, 2));
        assert.deepEqual([of("failed"), of("unchecked")], [[], []], table);
        assert.deepEqual(
          plan.missing.extensions.filter((name) => !/^pg(sodium|mq|_net)$/.test(name)).sort(),
          ["nowhere_else", "supabase_vault"],
        );
        assert.match(
          of("skipped").join("\n"),
          /definitions: table: public\.pictures: needs a missing extension/,
        );
        assert.equal(await ask(target, "select count(*)::int from public.members"), 1);
        assert.equal(await ask(target, "select count(*)::int from public.diary"), 2);
      } finally {
        await end();
      }
    });

    await test.step("comes back in a new project", async () => {
      const { target, end } = await newProject();
      try {
        const { account, of, table, plan } = await restoreInto(source.archive, target, OPTIONS);
        assert.equal(account.outcome, "restored", JSON.stringify(account, null, 2));
        assert.deepEqual([of("failed"), of("unchecked")], [[], []], table);
        assert.deepEqual(plan.missing.extensions, ["nowhere_else"]);
        const leftOut = plan.leftOut.map(({ what, why }) => `${what}: ${why}`).join("\n");
        assert.equal(/pgmq/.test(leftOut), false, leftOut);
        assert.equal(/EXTENSION pgsodium: .*Vault/.test(leftOut), variant === "older", leftOut);
        assert.equal(await ask(target, "select count(*)::int from public.members"), 1);
        assert.equal(
          await ask(target, "select nspowner::regrole::text from pg_namespace where nspname = 'pgmq'"),
          "postgres",
        );
        assert.equal(
          await ask(target, "select extversion from pg_extension where extname = 'pgmq'"),
          "1.4.4",
        );
      } finally {
        await end();
      }
    });

    await test.step("comes back in a new project by restore.list, with pg_restore alone", async () => {
      const { target, end } = await newProject();
      try {
        const { entries, path } = source.archive;
        const lines = restoreList(entries).split("\n");
        await target.session.sql.unsafe("create role accountant nologin; grant accountant to postgres")
          .simple();
        // A person who is told that an extension is not available takes its lines out.
        const needs = / (nowhere_else|pictures|pictures_tags_idx|pictures_pkey|tagged)\b/;
        await Deno.writeTextFile(`${path}.list`, lines.filter((line) => !needs.test(line)).join("\n"));
        const { success, stderr } = await new Deno.Command(`${source.database.cluster.binDir}/pg_restore`, {
          args: ["--no-owner", "--single-transaction", "-L", `${path}.list`, "-d", target.url, path],
        }).output();
        assert.ok(success, new TextDecoder().decode(stderr));
        assert.equal(await ask(target, "select count(*)::int from public.members"), 1);
      } finally {
        await end();
      }
    });
  });
}
