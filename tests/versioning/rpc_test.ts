/**
 * The examples of docs/versioning.md for supabase-js, run as they stand there: by supabase-js, as an editor and as a
 * visitor.
 */
import assert from "node:assert/strict";
import { createClient } from "@supabase/supabase-js";
import { SignJWT } from "jose";
import postgres from "postgres";
import { apply, startSqlProject } from "../sql/project.ts";
import { migrations, theatre } from "../sql/sources.ts";
import { restFetch } from "./rest.ts";

const GUIDE = await Deno.readTextFile(new URL("../../docs/versioning.md", import.meta.url));
const SECRET = "a secret of this test alone, of at least 32 bytes";

/** The code of the guide's chapter on supabase-js. */
function examples(language: string): string {
  const chapter = GUIDE.slice(GUIDE.indexOf("## From supabase-js"), GUIDE.indexOf("## Who may read"));
  const blocks = [...chapter.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"))];
  return blocks.map(([, code]) => code).join("\n");
}

Deno.test("histories, from supabase-js", async (t) => {
  const project = await startSqlProject();
  const { sql, superuser } = project;
  // What the API connects as, so that nothing here has more rights than it.
  await superuser`alter role authenticator password 'authenticator'`;
  const api = postgres(
    Object.assign(new URL(project.url), { username: "authenticator", password: "authenticator" }).href,
    { max: 1, onnotice: () => {} },
  );
  try {
    await apply(sql, await migrations());
    await apply(sql, await theatre());
    await sql.unsafe(examples("sql")).simple();
    const client = async (email: string) => {
      const [user] = await sql`select id from auth.users where email = ${email}`;
      const token = await new SignJWT({ role: "authenticated", sub: user!.id })
        .setProtectedHeader({ alg: "HS256" }).setExpirationTime("1h").sign(new TextEncoder().encode(SECRET));
      return createClient("http://127.0.0.1", "anon key", {
        auth: { persistSession: false, autoRefreshToken: false },
        global: { fetch: restFetch(api, SECRET), headers: { authorization: `Bearer ${token}` } },
      });
    };
    const editor = await client("compte1@theatre.example");
    const visitor = await client("compte21@theatre.example");
    const [play] =
      await sql`select id, titre from public.spectacles where statut = 'publie' order by titre limit 1`;
    const { id, titre } = play!;
    const [{ now: morning } = { now: "" }] = await sql`select clock_timestamp()::text as now`;
    await sql`update public.spectacles set titre = 'Autrement', sous_titre = 'le soir' where id = ${id}`;
    // Somebody is quicker: between the look at the versions and the restore.
    const run = new Function(
      "supabase",
      "id",
      "morning",
      "meanwhile",
      `return (async () => {
        ${examples("js").replace("// The title of the first version", "await meanwhile();\n$&")}
        return { versions, changes, then, restored, error, newest, undone, own };
      })()`,
    );

    await t.step("the guide's examples read, compare, restore and undo", async () => {
      const meanwhile = () => sql`update public.spectacles set sous_titre = 'la nuit' where id = ${id}`;
      const said = await run(editor, id, morning, meanwhile);
      assert.deepEqual(
        said.versions.map((v: Record<string, unknown>) => [v.version, v.operation, Object.keys(v).length]),
        [[2, "update", 8], [1, "baseline", 8]],
      );
      const change = said.changes.find((c: { column_name: string }) => c.column_name === "titre");
      assert.deepEqual(change, { column_name: "titre", type: "text", before: titre, after: "Autrement" });
      assert.equal(said.then.titre, titre, "this morning");
      assert.equal(said.restored, null);
      assert.equal(said.error.code, "55000");
      assert.match(said.error.message, /changed since: .*sous_titre/);
      assert.match(said.error.hint, /merge/);
      assert.equal(said.newest.operation, "restore");
      assert.deepEqual(said.newest.changed.slice(0, 1), ["titre"]);
      assert.equal(said.undone[0].outcome, "updated");
      assert.deepEqual(said.own.map((v: { version: number }) => v.version), [5, 4, 3, 2, 1]);
      const [row] = await sql`select titre, sous_titre from public.spectacles where id = ${id}`;
      assert.deepEqual({ ...row }, { titre: "Autrement", sous_titre: "la nuit" });
    });

    await t.step("the header x-reason says why, the token who", async () => {
      const histories = editor.schema("versioning");
      const { data: [newest] } = await histories.rpc("versions", { relation: "public.spectacles", key: id });
      const restored = await histories.rpc("restore", { version: newest.id - 1 }).setHeader(
        "x-reason",
        "a test",
      );
      assert.equal(restored.error, null);
      const { data: [version] } = await histories.rpc("versions", { relation: "public.spectacles", key: id });
      const [editing] = await sql`select id from auth.users where email = 'compte1@theatre.example'`;
      assert.deepEqual([version.reason, version.actor, version.role], [
        `restored version ${newest.id - 1}: a test`,
        editing!.id,
        "authenticated",
      ]);
    });

    await t.step("a visitor reads what is out, and restores nothing", async () => {
      const histories = visitor.schema("versioning");
      const { data } = await histories.rpc("versions", { relation: "public.spectacles", key: id });
      assert.equal(data.length, 6);
      const { error } = await histories.rpc("restore", { version: data.at(-1).id });
      assert.equal(error?.code, "42501");
      const tracking = await histories.rpc("track", { relation: "public.lieux" });
      assert.match(tracking.error!.message, /permission denied for function track/);
    });
  } finally {
    await api.end();
    await project.stop();
  }
});
