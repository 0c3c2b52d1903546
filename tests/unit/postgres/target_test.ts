import assert from "node:assert/strict";
import { openTarget } from "../../../cli/target/target.ts";
import { openSession } from "../../../supabase/functions/backup/postgres/session.ts";
import { parseTarget, urlOf, withLogin } from "../../../supabase/functions/backup/postgres/target.ts";

Deno.test("[parseTarget] takes a connection string apart", () => {
  assert.deepEqual(
    parseTarget("postgresql://a%40b:p%3Aw%2F@db.example.co:6543/my%20db?sslmode=require&sslrootcert=/ca.pem"),
    {
      host: "db.example.co",
      port: 6543,
      user: "a@b",
      password: "p:w/",
      database: "my db",
      sslMode: "require",
      sslRootCert: "/ca.pem",
      transactionPooler: true,
    },
  );
});

Deno.test("[parseTarget] has libpq's defaults for what is missing", () => {
  assert.deepEqual(parseTarget("postgres://"), {
    host: "127.0.0.1",
    port: 5432,
    user: "postgres",
    password: "",
    database: "postgres",
    sslMode: "prefer",
    sslRootCert: null,
    transactionPooler: false,
  });
  assert.equal(parseTarget("postgresql://someone@host").database, "someone");
});

Deno.test("[parseTarget] takes Unix sockets, IPv6 addresses and port 80", () => {
  assert.equal(parseTarget("postgresql://postgres@/db?host=/var/run/postgresql").host, "/var/run/postgresql");
  assert.equal(parseTarget("postgresql://[::1]:5433/db").host, "::1");
  assert.equal(parseTarget("postgresql://host:80/db").port, 80);
});

Deno.test("[withLogin] names the project to a pooler, and to nobody else", () => {
  const other = { database: "scratch", user: "drill", password: "p" };
  const user = (url: string, login = {}) => withLogin(parseTarget(url), login).user;
  assert.equal(user("postgresql://postgres.abcdefghijklmnopqrst@h/db", other), "drill.abcdefghijklmnopqrst");
  assert.equal(user("postgresql://postgres.abcdefghijklmnopqrst@h/db"), "postgres.abcdefghijklmnopqrst");
  assert.equal(user("postgresql://postgres@h/db", other), "drill");
  const { database, password, host } = withLogin(parseTarget("postgresql://me.x:q@h/db"), other);
  assert.deepEqual([database, password, host], ["scratch", "p", "h"]);
});

Deno.test("[parseTarget] takes signs in passwords, and parameters, as libpq does", () => {
  const taken: [url: string, target: Partial<ReturnType<typeof parseTarget>>][] = [
    ["postgresql://postgres.ref:pa#ss@h:5432/db", { password: "pa#ss", user: "postgres.ref", host: "h" }],
    ["postgresql://u:pa?s+s\\x@h:5433/db", { password: "pa?s+s\\x", host: "h", port: 5433 }],
    ["postgresql://u:a:b@h/db", { password: "a:b" }],
    ["postgresql:///db?host=/var/run/postgresql&user=me", { host: "/var/run/postgresql", user: "me" }],
    ["postgresql://u:p@h/db?host=other&port=7&dbname=x%20y&password=q%26r", {
      host: "other",
      port: 7,
      database: "x y",
      password: "q&r",
    }],
    ["postgresql://u@h/db?ssl=true&application_name=psql&connect_timeout=10&schema=public", {
      sslMode: "require",
    }],
    ["postgresql://postgres@[2a05:d014::1]:5432/postgres", { host: "2a05:d014::1", port: 5432 }],
    ["postgresql://u@h:6543/db", { transactionPooler: true }],
    ["postgresql://u@h:5432/db?pgbouncer=true", { transactionPooler: true }],
    ["postgresql://u@127.0.0.1:6543/db", { transactionPooler: false }],
  ];
  for (const [url, wanted] of taken) {
    const found = parseTarget(url);
    for (const [name, value] of Object.entries(wanted)) {
      assert.equal(found[name as keyof typeof found], value, `${url}: ${name}`);
    }
    assert.deepEqual(parseTarget(urlOf(found)), found, url);
  }
});

Deno.test("[parseTarget] says what to write in place of what it refuses", () => {
  const refused: [url: string, message: RegExp, hint: RegExp][] = [
    [
      "postgresql://postgres.ref:s3c/ret@h:5432/postgres",
      /not a PostgreSQL URL: what is before the @/,
      /%2F/,
    ],
    [
      "postgresql://postgres.ref:1/s3cret@h:5432/postgres",
      /not a PostgreSQL URL: what is before the @/,
      /PGPASSWORD/,
    ],
    ["postgresql://postgres.ref:50%s3cret@h:5432/postgres", /not a PostgreSQL URL: a "%"/, /%25/],
    ["postgresql://u:s3@cret@h:5432/postgres", /not a PostgreSQL URL: its host/, /%40/],
    ["postgresql://u:s3cret@h1,h2:5432/db", /names several hosts/, /Name one host/],
    ["postgresql://u:s3cret@h1:5432,h2:5432/db", /names several hosts/, /Name one host/],
    ["postgresql://u:s3cret@h:70000/db", /its port is not a number/, /%23/],
    ["postgresql://u:s3cret@h/db?service=mine", /unknown parameter "service"/, /sslmode/],
    ["postgresql://u@h/db?S3cret=x", /unknown parameter$/, /sslmode/],
    ["postgresql://u@h/db?user", /a parameter has no value/, /postgresql:\/\/user/],
  ];
  for (const [url, message, hint] of refused) {
    assert.throws(() => parseTarget(url), (error: Error & { code: string; hint: string }) => {
      assert.equal(error.code, "bad_request");
      assert.match(error.message, message, url);
      assert.match(error.hint, hint, url);
      assert.doesNotMatch(error.message + error.hint, /s3c|S3c/);
      return true;
    });
  }
});

Deno.test("[openSession] names the pooler where a host has an IPv6 address only", async () => {
  for (const host of ["db.abcdefghijklmnopqrst.supabase.invalid", "[100::1]"]) {
    await assert.rejects(
      openSession(`postgresql://postgres:p@${host}:1/postgres?sslmode=disable`),
      (error: Error & { hint: string }) => {
        assert.match(
          error.hint,
          /IPv6.*session pooler: host aws-0-REGION\.pooler\.supabase\.com, port 5432, user postgres\.\w+/,
        );
        return true;
      },
    );
  }
});

Deno.test("[openTarget] refuses the transaction pooler at once, and says why", async () => {
  await assert.rejects(
    openTarget("postgresql://u:p@h.invalid:6543/postgres?pgbouncer=true"),
    (error: Error & { hint: string }) => {
      assert.match(error.message, /transaction pooler at h\.invalid:6543/);
      assert.match(error.hint, /session pooler \(port 5432\)/);
      return true;
    },
  );
});

Deno.test("[parseTarget] refuses everything else and never repeats it: it holds a password", () => {
  for (
    const text of [
      "",
      "s3cret",
      "http://a:s3cret@b/c",
      "postgresql://a:s3cret@host:port/c",
      "postgresql://a:%s3cret@b/c",
    ]
  ) {
    assert.throws(() => parseTarget(text), (error: Error & { code: string; hint: string }) => {
      assert.equal(error.code, "bad_request", text);
      assert.doesNotMatch(error.message + error.hint, /s3cret/);
      return true;
    });
  }
});
