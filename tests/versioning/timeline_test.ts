/** The demo's timelines, read as the API reads them: a role, and the claims of a token. */
import assert from "node:assert/strict";
import type postgres from "postgres";
import { apply, startSqlProject } from "../sql/project.ts";
import { migrations, theatre } from "../sql/sources.ts";

Deno.test("the demo's timelines", async (t) => {
  const project = await startSqlProject();
  const { sql } = project;
  try {
    await apply(sql, await migrations());
    await apply(sql, await theatre());

    const as = async <T>(
      role: string,
      email: string | null,
      run: (sql: postgres.TransactionSql) => Promise<T>,
    ) =>
      await sql.begin(async (sql) => {
        const [user] = await sql`select id from auth.users where email = ${email}`;
        await sql`select set_config('request.jwt.claims', ${JSON.stringify({ role, sub: user?.id })}, true)`;
        await sql.unsafe(`set local role ${role}`);
        return await run(sql);
      });
    const EDITOR = "compte1@theatre.example";
    const VISITOR = "compte21@theatre.example";

    await t.step("begin with what the seed made", async () => {
      const [row] = await sql`
        select
          (select count(*)::int from public.historique_spectacles where operation = 'baseline' and version = 1) as spectacles,
          (select count(*)::int from public.spectacles) as rows,
          (select count(*) = (select count(*) from public.medias) from public.historique_medias) as medias,
          (select count(*) = (select count(*) from public.membres_equipe) from public.historique_equipe) as equipe`;
      assert.deepEqual({ ...row }, { spectacles: 60, rows: 60, medias: true, equipe: true });
    });

    await t.step("name the author of a change, and tell it in a line", async () => {
      const timeline = await as("authenticated", EDITOR, async (sql) => {
        await sql`select versioning.because('faute de frappe')`;
        await sql`update public.spectacles set sous_titre = 'repris' where titre = 'Hamlet'`;
        return await sql`
          select version, par, motif, operation, resume from public.historique_spectacles
          where titre = 'Hamlet' order by version desc limit 1`;
      });
      const [line] = timeline;
      assert.equal(line!.version, 2);
      assert.equal(line!.operation, "update");
      assert.equal(line!.motif, "faute de frappe");
      assert.match(line!.resume, /^update: sous_titre .* → “repris”, mis_a_jour_le /);
      const [profile] =
        await sql`select p.nom from public.profils p join auth.users u using (id) where u.email = ${EDITOR}`;
      assert.equal(line!.par, profile!.nom);
    });

    await t.step("show others what they may read, and the public nothing", async () => {
      const shown = await as("authenticated", VISITOR, async (sql) =>
        await sql`
          select bool_and(s.statut = 'publie') as published, count(*)::int as versions
          from public.historique_spectacles h join public.spectacles s on s.id = h.spectacle_id`);
      assert.equal(shown[0]!.published, true);
      assert.ok(shown[0]!.versions > 10);
      await assert.rejects(
        as("anon", null, async (sql) => await sql`select from public.historique_spectacles`),
        /permission denied/,
      );
    });

    await t.step("lead back: what an editor did is undone by its transaction", async () => {
      const outcome = await as("authenticated", EDITOR, async (sql) => {
        const [last] =
          await sql`select transaction from public.historique_spectacles where titre = 'Hamlet' order by version desc limit 1`;
        return await sql`select u ->> 'outcome' as outcome, u -> 'restored' as restored from versioning.undo(${
          last!.transaction
        }) u`;
      });
      assert.equal(outcome[0]!.outcome, "updated");
      assert.ok(outcome[0]!.restored.includes("sous_titre"));
    });
  } finally {
    await project.stop();
  }
});
