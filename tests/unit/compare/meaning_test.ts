/** Definitions that say the same are the same, whoever owns what and whatever order a server chose. */
import assert from "node:assert/strict";
import { sameMeaning } from "../../../supabase/functions/backup/compare/meaning.ts";
import type { Entry } from "../../../supabase/functions/backup/entry.ts";

const entry = (desc: string, owner: string, definition: string) => ({ desc, owner, definition }) as Entry;

Deno.test("sameMeaning() takes the roles of a policy for a set, and nothing else in it", () => {
  const policy = (roles: string, rest = "USING (true);\n") =>
    entry("POLICY", "", `CREATE POLICY "a, b" ON public.plays FOR SELECT TO ${roles} ${rest}`);
  assert.ok(sameMeaning(policy('anon, "an ""odd, one"""'), policy('"an ""odd, one""", anon')));
  assert.ok(!sameMeaning(policy("anon, authenticated"), policy("anon")));
  assert.ok(!sameMeaning(policy("anon"), policy("anon", "USING (false);\n")));
});

Deno.test("sameMeaning() looks at what others than the owners may do, where the owners differ", () => {
  const grants = "GRANT ALL ON FUNCTION extensions.armor(bytea) TO dashboard_user;\n";
  const source = entry(
    "ACL",
    "postgres",
    `REVOKE ALL ON FUNCTION extensions.armor(bytea) FROM postgres;
GRANT ALL ON FUNCTION extensions.armor(bytea) TO postgres WITH GRANT OPTION;
${grants}`,
  );
  const copy = (owner: string, more = "") =>
    entry(
      "ACL",
      owner,
      `${grants}GRANT ALL ON FUNCTION extensions.armor(bytea) TO postgres WITH GRANT OPTION;\n${more}`,
    );
  assert.ok(sameMeaning(source, copy("restorer")));
  assert.ok(!sameMeaning(source, copy("postgres")), "of one owner the text is all of it");
  assert.ok(
    !sameMeaning(source, copy("restorer", "GRANT ALL ON FUNCTION extensions.armor(bytea) TO anon;\n")),
  );
});
