import assert from "node:assert/strict";
import { type Facts, needing } from "./project.ts";
import { assertRefused } from "./refusals.ts";

export const callers: Facts = {
  "a request without a key, with garbage, or with a token of another secret is refused": async (project) => {
    const foreign = `${project.key("service_role").replace(/[^.]*$/, "")}${"A".repeat(43)}`;
    const bucket = await project.bucket();
    for (
      const [method, path, body] of [
        ["GET", "/bucket", undefined],
        ["POST", `/object/list/${bucket}`, { prefix: "" }],
        ["POST", `/object/${bucket}/a`, new Uint8Array(1)],
        ["DELETE", `/object/${bucket}`, { prefixes: ["a"] }],
        ["POST", `/object/sign/${bucket}/a`, { expiresIn: 60 }],
      ] as const
    ) {
      assertRefused(await project.send(method, path, { as: null, body }), "noAuthorization");
      assertRefused(await project.send(method, path, { as: { token: "garbage" }, body }), "noToken");
      assertRefused(await project.send(method, path, { as: { token: foreign }, body }), "badSignature");
    }
  },

  "an expired token is refused": needing("secret", async (project) => {
    const token = await project.token({ role: "service_role" }, -60);
    assertRefused(await project.send("GET", "/bucket", { as: { token } }), "expired");
  }),

  "a token without a role acts as anon": needing("secret", async (project) => {
    const token = await project.token({});
    assert.deepEqual((await project.send("GET", "/bucket", { as: { token } })).body, []);
  }),

  "a role that does not exist is a fault of the database": needing("secret", async (project) => {
    const token = await project.token({ role: "contract_nobody" });
    assertRefused(
      await project.send("GET", "/bucket", { as: { token } }),
      ["500", "DatabaseError", "DatabaseError", "database error, code: 22023"],
      500,
    );
  }),

  "a role that no token may take on is refused": needing("secret", async (project) => {
    for (const role of ["postgres", "supabase_admin"]) {
      const token = await project.token({ role });
      assertRefused(
        await project.send("GET", "/bucket", { as: { token } }),
        ["403", "Unauthorized", "AccessDenied", `permission denied to set role "${role}"`],
      );
    }
  }),

  "the token's subject owns what it uploads": needing("secret", async (project) => {
    const bucket = await project.bucket();
    const sub = crypto.randomUUID();
    const client = project.client({ token: await project.token({ role: "service_role", sub }) });
    await client.from(bucket).upload("a", "a", { contentType: "text/plain" });
    const { data } = await client.from(bucket).remove(["a"]);
    const { owner, owner_id } = data![0] as unknown as { owner: string; owner_id: string };
    assert.deepEqual([owner, owner_id], [sub, sub]);
  }),

  "a route that is not there is a 404 over HTTP too": async (project) => {
    const { status, body } = await project.send("PATCH", "/object/contract-none/a");
    assert.equal(status, 404);
    assert.equal(body.error, "Not Found");
  },

  "a server that cannot be reached is an error, not an exception": async (project) => {
    const { data, error } = await project.client("anon", "http://127.0.0.1:1").from("a").list();
    assert.equal(data, null);
    assert.equal(error?.name, "StorageUnknownError");
  },

  "status answers 200 to everybody": async (project) => {
    assert.equal((await project.send("GET", "/status", { as: null })).status, 200);
  },
};
