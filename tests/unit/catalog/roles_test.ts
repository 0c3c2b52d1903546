/** Roles as SQL, for psql and for a restore. */
import assert from "node:assert/strict";
import { type Role, type Roles, rolesEntry } from "../../../supabase/functions/backup/catalog/roles.ts";
import {
  fresh,
  rolesFile,
  rolesIn,
  roleStatements,
} from "../../../supabase/functions/backup/restore_guide/roles_sql.ts";

const role = (name: string, facts: Partial<Role> = {}): Role => ({ ...fresh(name), ...facts });
const member = (role: string, member: string, admin = false) => ({
  role,
  member,
  admin,
  inherit: null,
  set: null,
});
const NONE: Roles = { roles: [], members: [] };
const sqlOf = (wanted: Roles, there = NONE, version = 150000) =>
  roleStatements(wanted, there, version).map(({ sql }) => sql);

Deno.test("roleStatements() says what differs from what is there, attribute by attribute", () => {
  const roles = [
    role("moderator", { bypassrls: true, inherit: false, limit: 3, until: "2031-01-01 00:00:00+00" }),
  ];
  assert.deepEqual(sqlOf({ roles, members: [member("moderator", "authenticator")] }), [
    'ALTER ROLE "moderator" BYPASSRLS;',
    'ALTER ROLE "moderator" NOINHERIT;',
    'ALTER ROLE "moderator" CONNECTION LIMIT 3;',
    `ALTER ROLE "moderator" VALID UNTIL '2031-01-01 00:00:00+00';`,
    'GRANT "moderator" TO "authenticator";',
  ]);
  const there = { roles, members: [member("moderator", "authenticator")] };
  assert.deepEqual(sqlOf(there, there), []);
});

Deno.test("roleStatements() takes settings of the API's roles, and nothing else of the platform's", () => {
  const roles = [
    role("anon", { settings: ["statement_timeout=1s"] }),
    role("authenticator", {
      settings: ["session_preload_libraries=supautils", "pgrst.db_pre_request=public.check"],
    }),
    role("supabase_auth_admin", { createrole: true, settings: ["search_path=auth"] }),
  ];
  assert.deepEqual(sqlOf({ roles, members: [member("anon", "authenticator")] }), [
    `ALTER ROLE "anon" SET "statement_timeout" TO '1s';`,
    `ALTER ROLE "authenticator" SET "pgrst"."db_pre_request" TO 'public.check';`,
  ]);
});

Deno.test("roleStatements() writes lists of names and options of memberships as the server takes them", () => {
  const roles = [role("a", { settings: ['search_path="$user", "odd ""name"""'] })];
  const members = [{ role: "a", member: "b", admin: true, inherit: false, set: true }];
  assert.deepEqual(sqlOf({ roles, members }, NONE, 160000), [
    `ALTER ROLE "a" SET "search_path" TO '$user', 'odd "name"';`,
    'GRANT "a" TO "b" WITH ADMIN TRUE, INHERIT FALSE, SET TRUE;',
  ]);
});

Deno.test("rolesFile() lets no name out of its quotes, and makes each role once", () => {
  const name = `x$$; drop table t; --"'\n\\! echo owned`;
  const text = rolesFile({ roles: [role(name, { login: true }), role("postgres")], members: [] }, 150000);
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("--"));
  assert.equal(lines.length, 2, text);
  assert.match(lines[0]!, /^SELECT U&'CREATE ROLE ".*' WHERE NOT EXISTS .* \\gexec$/);
  assert.match(lines[1]!, /^ALTER ROLE U&".*" LOGIN; -- it needs a password$/);
});

Deno.test("rolesIn() reads what rolesEntry() made, and refuses anything else", () => {
  const roles = { roles: [role("a", { settings: ["x=y"] })], members: [member("a", "b", true)] };
  assert.deepEqual(rolesIn([rolesEntry(7, roles)]), roles);
  assert.equal(rolesIn([]), null);
  const forged = { ...rolesEntry(7, roles), copy: '{"roles": [{"name": 1}], "members": []}' };
  assert.throws(() => rolesIn([forged]), /roles\.roles\[0\]\.name is 1, expected a text/);
});
