/** The demo's theatre: what the seed makes, who may see it, and that it is the same every time. */
import assert from "node:assert/strict";
import type postgres from "postgres";
import { apply, startSqlProject } from "./project.ts";
import { migrations, theatre } from "./sources.ts";

const TABLES = [
  "auth.users",
  "auth.identities",
  "public.profils",
  "public.lieux",
  "public.spectacles",
  "public.medias",
  "public.membres_equipe",
  "public.distributions",
  "public.representations",
  "public.reservations",
  "public.billets",
  "public.articles",
];

/** Rows and a hash of their text that does not depend on their order. */
async function contents(sql: postgres.Sql): Promise<Record<string, [rows: number, hash: string]>> {
  const found = await Promise.all(TABLES.map(async (table) => {
    const [row] = await sql.unsafe(
      `select count(*)::int as rows, sum(('x' || substr(md5(t::text), 1, 15))::bit(60)::bigint)::text as hash from ${table} t`,
    );
    return [table, [row!.rows, row!.hash]];
  }));
  return Object.fromEntries(found);
}

/** Bytes of the rows as text, about what a backup reads. */
async function textBytes(sql: postgres.Sql): Promise<number> {
  const sizes = await Promise.all(TABLES.map(async (table) => {
    const [row] = await sql.unsafe(`select sum(octet_length(t::text))::int as bytes from ${table} t`);
    return row!.bytes as number;
  }));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

Deno.test("the demo's theatre", async (t) => {
  const project = await startSqlProject();
  const { sql } = project;
  try {
    await apply(sql, await migrations());

    await t.step("is filled by the seed", async () => {
      await apply(sql, await theatre());
      const bytes = await textBytes(sql);
      assert.ok(bytes > 10e6 && bytes < 20e6, `${bytes} bytes of text`);
      const rows = Object.fromEntries(
        Object.entries(await contents(sql)).map(([table, [rows]]) => [table, rows]),
      );
      assert.equal(rows["public.spectacles"], 60);
      assert.equal(rows["public.reservations"], 20_000);
      assert.equal(rows["public.profils"], rows["auth.users"]);
      for (const table of TABLES) assert.ok(rows[table]! > 0, table);
      const slugs =
        await sql`select slug from public.spectacles where titre in ('Œdipe roi', 'Les Bas-fonds (На дне)') order by 1`;
      assert.deepEqual(slugs.map(({ slug }) => slug), ["les-bas-fonds", "oedipe-roi"]);
    });

    await t.step("is the same every time", async () => {
      const first = await contents(sql);
      const again = await startSqlProject();
      try {
        await apply(again.sql, await migrations());
        await apply(again.sql, await theatre());
        assert.deepEqual(await contents(again.sql), first);
      } finally {
        await again.stop();
      }
    });

    /** As the API asks: a role and the claims of a token. */
    const as = async (
      role: string,
      email: string | null,
      run: (sql: postgres.TransactionSql) => Promise<void>,
    ) => {
      await sql.begin(async (sql) => {
        const [user] = await sql`select id from auth.users where email = ${email}`;
        await sql`select set_config('request.jwt.claims', ${JSON.stringify({ role, sub: user?.id })}, true)`;
        await sql.unsafe(`set local role ${role}`);
        await run(sql);
      });
    };
    const count = async (sql: postgres.TransactionSql, from: string) =>
      (await sql.unsafe(`select count(*)::int as rows from ${from}`))[0]!.rows;

    await t.step("shows the public what is published, and nothing of the public", async () => {
      await as("anon", null, async (sql) => {
        assert.equal(await count(sql, "public.spectacles where statut <> 'publie'"), 0);
        assert.ok(await count(sql, "public.spectacles") > 10);
        assert.ok(await count(sql, "public.articles") > 300);
        const [seats] =
          await sql`select public.places_restantes(min(id)) as left from public.representations`;
        assert.ok(seats!.left !== null);
      });
      for (
        const forbidden of [
          "select from public.reservations",
          "select from public.billets",
          "select from public.frequentation",
          "select courriel from public.membres_equipe",
          "delete from public.spectacles",
        ]
      ) {
        await assert.rejects(
          as("anon", null, async (sql) => void await sql.unsafe(forbidden)),
          /permission denied/,
          forbidden,
        );
      }
    });

    await t.step("lets editors write, and others see their own reservations", async () => {
      await as("authenticated", "compte21@theatre.example", async (sql) => {
        const own = await count(sql, "public.reservations");
        assert.ok(own > 0 && own < 1000, `${own} reservations`);
        assert.equal((await sql`update public.spectacles set titre = 'x'`).count, 0);
      });
      await as("authenticated", "compte1@theatre.example", async (sql) => {
        const [changed] = await sql`
          update public.spectacles set sous_titre = 'repris' where titre = 'Hamlet' returning slug, mis_a_jour_le = now() as noted`;
        assert.deepEqual({ ...changed }, { slug: "hamlet", noted: true });
      });
    });
  } finally {
    await project.stop();
  }
});
