import assert from "node:assert/strict";
import { parseTarget } from "../../../supabase/functions/backup/postgres/target.ts";

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
  });
  assert.equal(parseTarget("postgresql://someone@host").database, "someone");
});

Deno.test("[parseTarget] takes Unix sockets, IPv6 addresses and port 80", () => {
  assert.equal(parseTarget("postgresql://postgres@/db?host=/var/run/postgresql").host, "/var/run/postgresql");
  assert.equal(parseTarget("postgresql://[::1]:5433/db").host, "::1");
  assert.equal(parseTarget("postgresql://host:80/db").port, 80);
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
