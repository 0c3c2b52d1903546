import assert from "node:assert/strict";
import { startCluster } from "../../../stack/postgres/cluster.ts";
import { BackupError } from "../../../supabase/functions/backup/errors.ts";
import { openSession, type Session } from "../../../supabase/functions/backup/postgres/session.ts";
import { UnreachableError } from "../../../supabase/functions/backup/postgres/unreachable.ts";
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

    await test.step("cancels the statement when its signal is aborted, also where no bytes come, and stays usable", async () => {
      const controller = new AbortController();
      const asleep = session.copy("copy (select pg_sleep(600)) to stdout", () => {}, controller.signal);
      setTimeout(() => controller.abort(new Error("the run was cancelled")), 200);
      await assert.rejects(asleep, /the run was cancelled/);
      assert.equal((await copyText(session, "copy (select 9) to stdout")).text, "9\n");
      await assert.rejects(
        session.copy("copy (select 1) to stdout", () => {}, controller.signal),
        /cancelled/,
      );
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
  assert.match(refused.message, /Cannot connect to the database at 127\.0\.0\.1:1: /);
  assert.doesNotMatch(JSON.stringify([refused.message, refused.hint, refused.stack]), /s3cret/);
  for (
    const wrong of ["mysql://a:s3cret@b/c", "nonsense s3cret", "postgresql://a:s3cret@b/c?sslmode=maybe"]
  ) {
    const error = await openSession(wrong).catch((error) => error);
    assert.equal(error.code, "bad_request");
    assert.doesNotMatch(error.message, /s3cret/);
  }
});

/** Takes connections, says what `answer` returns for each message, and never more. */
async function withSilentServer(
  answer: (message: Uint8Array) => string,
  run: (port: number) => Promise<void>,
) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serve = async (client: Deno.Conn) => {
    const buffer = new Uint8Array(4096);
    try {
      for (let n = await client.read(buffer); n !== null; n = await client.read(buffer)) {
        await client.write(new TextEncoder().encode(answer(buffer.subarray(0, n))));
      }
    } catch { /* the client was faster */ }
    client.close();
  };
  const open: Promise<void>[] = [];
  const serving = (async () => {
    for await (const client of listener) open.push(serve(client));
  })();
  await run(listener.addr.port);
  listener.close();
  await serving;
  await Promise.all(open);
}

Deno.test("[openSession] gives up a server that is silent, wherever in the login", async () => {
  // The request for encryption is 8 bytes long; "S" begins a handshake.
  const silences = {
    "at once": () => "",
    "in the handshake": () => "S",
    "in the login": (message: Uint8Array) => message.length === 8 ? "N" : "",
  };
  for (const [name, answer] of Object.entries(silences)) {
    await withSilentServer(answer, async (port) => {
      const opening = openSession(`postgresql://someone:s3cret@127.0.0.1:${port}/x`, {
        connectSeconds: 0.2,
        variable: "X",
      });
      const error = await opening.catch((error) => error);
      assert.ok(error instanceof UnreachableError, `${name}: ${error}`);
      assert.equal(
        error.message,
        `Cannot connect to the database at 127.0.0.1:${port}: no answer within 0.2 s`,
      );
      assert.match(error.hint, /Network Restrictions .* BACKUP_DB_URL/);
      assert.doesNotMatch(error.reason + error.hint, /127\.0\.0\.1|someone/);
    });
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
        message: /^Cannot lock public\.t in time/,
      });
    });
    await third.close();
  });
});

Deno.test("a session's settings are its own, whatever role and database have", async (test) => {
  await withSessions(async (admin, _other, url) => {
    const settings = {
      search_path: "public, pg_catalog",
      statement_timeout: "12345",
      idle_session_timeout: "12345",
      idle_in_transaction_session_timeout: "12345",
      default_transaction_isolation: "serializable",
      datestyle: "SQL, DMY",
    };
    for (const [name, value] of Object.entries(settings)) {
      await admin.sql.unsafe(`alter database postgres set ${name} = ${value}`);
    }
    const read = async (session: Session, name: string) =>
      Object.values((await session.sql.unsafe(`show ${name}`))[0]!)[0];

    await test.step("from its first statement on", async () => {
      const session = await openSession(url);
      assert.equal(await read(session, "search_path"), "pg_catalog, pg_temp");
      assert.equal(await read(session, "row_security"), "off");
      assert.equal(await read(session, "statement_timeout"), "0");
      assert.equal(await read(session, "idle_session_timeout"), "0");
      assert.equal(await read(session, "default_transaction_isolation"), "read committed");
      await session.close();
    });

    await test.step("in a snapshot alone where a pooler refuses them, which gets its session back as it was", async () => {
      await using pooler = startPooler(new URL(url));
      const session = await openSession(pooler.url);
      assert.equal(await read(session, "search_path"), "public, pg_catalog", "this step shows something");
      await beginSnapshot(session);
      assert.equal(await read(session, "search_path"), "pg_catalog, pg_temp");
      assert.equal(await read(session, "datestyle"), "ISO, DMY");
      assert.equal(await read(session, "restrict_nonsystem_relation_kind"), "view, foreign-table");
      await session.sql.unsafe("rollback");
      assert.equal(await read(session, "search_path"), "public, pg_catalog");
      assert.equal(await read(session, "datestyle"), "SQL, DMY");
      await session.close();
    });
  });
});

/** Passes bytes on, and refuses a session that begins with a search_path, as pgbouncer does. */
function startPooler(server: URL): { url: string } & AsyncDisposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serve = async (client: Deno.Conn) => {
    const hello = new Uint8Array(4096);
    const length = await client.read(hello) ?? 0;
    // No encryption: the client goes on in clear.
    if (length === 8) {
      await client.write(new TextEncoder().encode("N"));
      client.close();
      return;
    }
    if (new TextDecoder().decode(hello.subarray(0, length)).includes("search_path\0")) {
      const text = "SFATAL\0C08P01\0Munsupported startup parameter: search_path\0\0";
      const message = new TextEncoder().encode(`E\0\0\0\0${text}`);
      new DataView(message.buffer).setInt32(1, message.length - 1);
      await client.write(message);
      client.close();
      return;
    }
    const upstream = await Deno.connect({ hostname: server.hostname, port: Number(server.port) });
    for (let sent = 0; sent < length;) sent += await upstream.write(hello.subarray(sent, length));
    await Promise.allSettled([
      client.readable.pipeTo(upstream.writable),
      upstream.readable.pipeTo(client.writable),
    ]);
  };
  const open: Promise<void>[] = [];
  const serving = (async () => {
    for await (const client of listener) open.push(serve(client).catch(() => {}));
  })();
  const own = new URL(server);
  own.host = `127.0.0.1:${listener.addr.port}`;
  own.searchParams.set("sslmode", "disable");
  return {
    url: own.href,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
      await Promise.all(open);
    },
  };
}

Deno.test("[lockTables] refuses what is not a table any more", async (test) => {
  await withSessions(async (session, other) => {
    await other.sql.unsafe("create table public.gone (id int); create table public.kept (id int)").simple();
    const swaps: Record<string, string> = {
      "a view in its place": "drop table public.gone; create view public.gone as select 1 as id",
      "another table in its place": "drop view public.gone; create table public.gone (id int)",
      "a view made of it by a rule":
        `create rule "_RETURN" as on select to public.gone do instead select 1 as id`,
    };
    for (const [name, swap] of Object.entries(swaps)) {
      await test.step(name, async () => {
        await beginSnapshot(session);
        await other.sql.unsafe(swap).simple();
        await assert.rejects(lockTables(session, ["public.kept", "public.gone"], 1000), {
          code: "table_not_read",
          message: "Cannot read table public.gone: it was dropped or replaced while the backup began",
        });
        await session.sql.unsafe("rollback");
      });
    }
    await beginSnapshot(session);
    await lockTables(session, ["public.kept"], 1000);
  });
});
