/** Rows into the server, past the library, on a session that stays usable whatever happens. */
import assert from "node:assert/strict";
import { startCluster } from "../../../stack/postgres/cluster.ts";
import { openSession, type Session } from "../../../supabase/functions/backup/postgres/session.ts";

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield await Promise.resolve(new TextEncoder().encode(text));
}

async function count({ sql }: Session): Promise<number> {
  const [row] = await sql.unsafe<{ n: number }[]>("select count(*)::int as n from public.t");
  return row!.n;
}

Deno.test("[Session.copyIn]", async (test) => {
  const cluster = await startCluster();
  const session = await openSession(cluster.url());
  const copy = "copy public.t (id, v) from stdin";
  try {
    await session.sql.unsafe("create table public.t (id int primary key, v text)");

    await test.step("takes rows in pieces of any size, with and without an end mark", async () => {
      assert.equal(await session.copyIn(copy, pieces("1\ta\n2", "\tb", "\n3\té\n\\.\n\n\n")), 3);
      assert.equal(await session.copyIn(copy, pieces()), 0);
      const long = "x".repeat(3_000_000);
      assert.equal(await session.copyIn(copy, pieces(`4\t${long}\n5\t`, long, "\n")), 2);
      assert.equal(await session.copyIn(`begin; ${copy}; commit`, pieces("6\tb\n7\tc\n")), 2);
      await session.sql.unsafe("delete from public.t where id in (6, 7)");
      const rows = await session.sql.unsafe("select length(v) as n from public.t order by id");
      assert.deepEqual(rows.map(({ n }) => n), [1, 1, 1, 3_000_000, 3_000_000]);
    });

    await test.step("throws the server's error, with its line, and the session goes on", async () => {
      const lines = (function* () {
        for (let id = 1000; id < 300_000; id++) yield `${id === 1005 ? "no number" : id}\tv\n`;
      })();
      const text = (async function* () {
        for (const line of lines) yield await Promise.resolve(new TextEncoder().encode(line));
      })();
      await assert.rejects(session.copyIn(copy, text), (error: { code?: string; where?: string }) => {
        return error.code === "22P02" && /line 6/.test(error.where ?? "");
      });
      assert.equal(await count(session), 5);
      await assert.rejects(session.copyIn("copy public.nothing from stdin", pieces("1\n")), /does not exist/);
      assert.equal(await count(session), 5);
    });

    await test.step("throws what reading the rows throws, and keeps none of them", async () => {
      const broken = (async function* () {
        yield* pieces("7\ta\n");
        await Promise.resolve();
        throw new Error("the archive is cut off");
      })();
      await assert.rejects(session.copyIn(copy, broken), /the archive is cut off/);
      assert.equal(await count(session), 5);
    });

    await test.step("ends with the connection", async () => {
      const other = await openSession(cluster.url());
      const endless = (async function* () {
        for (let id = 10;; id++) {
          if (id === 500) await other.sql.unsafe(`select pg_terminate_backend(${session.pid})`);
          yield await Promise.resolve(new TextEncoder().encode(`${id}\t${"v".repeat(5000)}\n`));
        }
      })();
      try {
        await assert.rejects(session.copyIn(copy, endless), (error: Error) => {
          return /terminat|CONNECTION|reset|pipe/i.test(`${error.message} ${error.name}`);
        });
        assert.equal(await count(other), 5);
      } finally {
        await other.close();
      }
    });
  } finally {
    await session.close();
    await cluster.stop();
  }
});
