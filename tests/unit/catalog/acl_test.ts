import assert from "node:assert/strict";
import { grantCommands, parseItem } from "../../../supabase/functions/backup/catalog/acl.ts";
import { Catalog } from "../../../supabase/functions/backup/catalog/catalog.ts";

function catalog(version = 150000): Catalog {
  return new Catalog({ version, reserved: new Set(["user"]), superuser: true } as Catalog["facts"]);
}

const TABLE = { type: "TABLE", name: "s.t", owner: "boss" };
const OWN = "boss=arwdDxt/boss";

Deno.test("[grantCommands] says nothing where nothing differs", () => {
  assert.equal(grantCommands(catalog(), { ...TABLE, items: [OWN], base: [OWN] }), "");
});

Deno.test("[grantCommands] writes a full list as ALL and others in their order", () => {
  const items = [OWN, "anon=arwdDxt/boss", "app=wr/boss", "=r/boss"];
  assert.equal(
    grantCommands(catalog(), { ...TABLE, items, base: [OWN] }),
    "GRANT ALL ON TABLE s.t TO anon;\nGRANT SELECT,UPDATE ON TABLE s.t TO app;\nGRANT SELECT ON TABLE s.t TO PUBLIC;\n",
  );
});

Deno.test("[grantCommands] revokes what is gone before it grants, the owner's own first", () => {
  assert.equal(
    grantCommands(catalog(), { ...TABLE, items: ["=r/boss", "boss=r/boss"], base: [OWN] }),
    "REVOKE ALL ON TABLE s.t FROM boss;\nGRANT SELECT ON TABLE s.t TO boss;\nGRANT SELECT ON TABLE s.t TO PUBLIC;\n",
  );
});

Deno.test("[grantCommands] tells what may be granted on from what may not", () => {
  assert.equal(
    grantCommands(catalog(), { ...TABLE, items: ["app=r*w/boss"], base: [] }),
    "GRANT UPDATE ON TABLE s.t TO app;\nGRANT SELECT ON TABLE s.t TO app WITH GRANT OPTION;\n",
  );
});

Deno.test("[grantCommands] speaks as the grantor where that is not the owner", () => {
  assert.equal(
    grantCommands(catalog(), { ...TABLE, items: ['app=r/"The Other"'], base: [] }),
    'SET SESSION AUTHORIZATION "The Other";\nGRANT SELECT ON TABLE s.t TO app;\nRESET SESSION AUTHORIZATION;\n',
  );
});

Deno.test("[grantCommands] names the column with each privilege", () => {
  const items = ["app=rw/boss", "api=arwx/boss"];
  assert.equal(
    grantCommands(catalog(), { ...TABLE, column: '"C"', items, base: [] }),
    'GRANT SELECT("C"),UPDATE("C") ON TABLE s.t TO app;\nGRANT ALL("C") ON TABLE s.t TO api;\n',
  );
});

Deno.test("[grantCommands] knows MAINTAIN on servers that have it only", () => {
  const grants = { ...TABLE, items: ["app=arwdDxtm/boss"], base: [] };
  assert.equal(grantCommands(catalog(170000), grants), "GRANT ALL ON TABLE s.t TO app;\n");
  const without = { ...TABLE, items: ["app=arwdDxt/boss"], base: [] };
  assert.equal(
    grantCommands(catalog(170000), without),
    "GRANT SELECT,INSERT,REFERENCES,DELETE,TRIGGER,TRUNCATE,UPDATE ON TABLE s.t TO app;\n",
  );
});

Deno.test("[grantCommands] puts default privileges behind their words, in the plural", () => {
  assert.equal(
    grantCommands(catalog(), {
      type: "FUNCTIONS",
      name: "",
      owner: "boss",
      items: ["app=X/boss"],
      base: ["=X/boss"],
      prefix: "ALTER DEFAULT PRIVILEGES FOR ROLE boss ",
    }),
    "ALTER DEFAULT PRIVILEGES FOR ROLE boss REVOKE ALL ON FUNCTIONS  FROM PUBLIC;\n" +
      "ALTER DEFAULT PRIVILEGES FOR ROLE boss GRANT ALL ON FUNCTIONS  TO app;\n",
  );
});

Deno.test("[parseItem] reads names in quotes with every sign that has a meaning here", () => {
  assert.deepEqual(parseItem('"a=b/""c"""=r*w/"x/y="'), {
    grantee: 'a=b/"c"',
    codes: "r*w",
    grantor: "x/y=",
  });
  assert.deepEqual(parseItem("=U/boss"), { grantee: "", codes: "U", grantor: "boss" });
  assert.throws(() => parseItem("nonsense"), /nonsense/);
});
