import assert from "node:assert/strict";
import { startCluster } from "../../../stack/postgres/cluster.ts";
import { BackupError } from "../../../supabase/functions/backup/errors.ts";
import { openSession, type Session } from "../../../supabase/functions/backup/postgres/session.ts";
import {
  beginSnapshot,
  importSnapshot,
  lockTables,
} from "../../../supabase/functions/backup/postgres/snapshot.ts";

/** One cluster for the file: a session and a second one to observe or disturb it. */
async function withSessions(run: (session: Session, other: Session, url: string) => Promise<void>) {
  const cluster = await startCluster();
  try {
    const [session, other] = [await openSession(cluster.url()), await openSession(cluster.url())];
    try {
      await run(session, other, cluster.url());
    } finally {
      await Promise.allSettled([session.close(), other.close()]);
    }
  } finally {
    await cluster.stop();
  }
}

async function copyText(session: Session, statement: string): Promise<{ rows: number; text: string }> {
  const decoder = new TextDecoder();
  let text = "";
  const rows = await session.copy(
    statement,
    (block) => void (text += decoder.decode(block, { stream: true })),
  );
  return { rows, text };
}

Deno.test("[Session.copy]", async (test) => {
  await withSessions(async (session, other) => {
    await test.step("hands over the text and answers the rows", async () => {
      const copied = await copyText(
        session,
        "copy (select g, E'a\\tb' from generate_series(1, 3) g) to stdout",
      );
      assert.deepEqual(copied, { rows: 3, text: "1\ta\\tb\n2\ta\\tb\n3\ta\\tb\n" });
    });

    await test.step("answers 0 for no rows, and calls nobody", async () => {
      assert.deepEqual(await copyText(session, "copy (select 1 where false) to stdout"), {
        rows: 0,
        text: "",
      });
    });

    await test.step("takes a row of 50 MB in blocks that fit its buffer", async () => {
      let [bytes, largest] = [0, 0];
      const rows = await session.copy("copy (select repeat('x', 50000000)) to stdout", async (block) => {
        bytes += block.length;
        largest = Math.max(largest, block.length);
        await Promise.resolve();
      });
      assert.deepEqual([rows, bytes], [1, 50_000_001]);
      assert.ok(largest <= 256 * 1024);
    });

    await test.step("gives the server's error in the middle of rows and stays usable", async () => {
      const statement = "copy (select 1 / (50000 - g) from generate_series(1, 60000) g) to stdout";
      await assert.rejects(copyText(session, statement), { code: "22012" });
      assert.equal((await copyText(session, "copy (select 7) to stdout")).text, "7\n");
      assert.equal((await session.sql`select 1 as one`)[0]!["one"], 1);
    });

    await test.step("cancels the statement when the consumer throws, and stays usable", async () => {
      const endless = session.copy(
        "copy (select repeat('x', 1000), generate_series(1, 1000000000)) to stdout",
        () => {
          throw new Error("no more room");
        },
      );
      await assert.rejects(endless, /no more room/);
      assert.equal((await copyText(session, "copy (select 8) to stdout")).text, "8\n");
    });

    await test.step("lets the server wait for a slow consumer", async () => {
      // Far more than what sockets hold: a server that could finish would be idle again.
      let state: unknown;
      await session.copy(
        "copy (select repeat('x', 1000), generate_series(1, 40000)) to stdout",
        async () => {
          if (state !== undefined) return;
          await new Promise((resolve) => setTimeout(resolve, 300));
          [{ state }] = await other.sql`select state from pg_stat_activity where pid = ${session.pid}` as [
            { state: string },
          ];
        },
      );
      assert.equal(state, "active");
    });

    await test.step("fails when the server is gone in the middle, and never reconnects by itself", async () => {
      const victim = session.copy(
        "copy (select repeat('x', 1000), generate_series(1, 1000000000)) to stdout",
        async () => {
          await other.sql`select pg_terminate_backend(${session.pid})`;
        },
      );
      await assert.rejects(victim);
      await assert.rejects(async () => await session.sql`select 1`, { code: "snapshot_lost" });
    });
  });
});

Deno.test("[openSession] fails with the reason and without the password", async () => {
  const refused = await openSession("postgresql://someone:s3cret@127.0.0.1:1/x").catch((error) => error);
  assert.ok(refused instanceof BackupError);
  assert.equal(refused.code, "database_unreachable");
  assert.match(refused.message, /127\.0\.0\.1:1 could not be reached/);
  assert.doesNotMatch(JSON.stringify([refused.message, refused.hint, refused.stack]), /s3cret/);
  for (
    const wrong of ["mysql://a:s3cret@b/c", "nonsense s3cret", "postgresql://a:s3cret@b/c?sslmode=maybe"]
  ) {
    const error = await openSession(wrong).catch((error) => error);
    assert.equal(error.code, "bad_request");
    assert.doesNotMatch(error.message, /s3cret/);
  }
});

Deno.test("a snapshot", async (test) => {
  await withSessions(async (first, second, url) => {
    await first.sql`create table public.t (id int)`;
    await first.sql`insert into public.t values (1)`;
    const id = await beginSnapshot(first);
    const third = await openSession(url);
    await third.sql`insert into public.t values (2)`;

    await test.step("is the same instant for who imports it, and for who imports it from there", async () => {
      const passedOn = await importSnapshot(second, ["00000000-00000000-9", id]);
      await first.sql.unsafe("rollback");
      await importSnapshot(third, [id, passedOn]);
      for (const session of [second, third]) {
        assert.equal((await session.sql`select count(*)::int as n from public.t`)[0]!["n"], 1);
      }
    });

    await test.step("is lost when its last holder left", async () => {
      await second.sql.unsafe("rollback");
      await third.sql.unsafe("rollback");
      await assert.rejects(importSnapshot(first, [id]), { code: "snapshot_lost" });
    });

    await test.step("names the table whose lock does not come in time", async () => {
      await second.sql.unsafe("create table public.free (id int)");
      await second.sql.unsafe("begin");
      await second.sql.unsafe("lock table public.t in access exclusive mode");
      await beginSnapshot(first);
      await assert.rejects(lockTables(first, ["public.free", "public.t"], 50), {
        code: "lock_timeout",
        message: /^public\.t is locked/,
      });
    });
    await third.close();
  });
});
