import assert from "node:assert/strict";
import {
  Catalog,
  dollarQuoted,
  escapedLiteral,
  literal,
} from "../../../supabase/functions/backup/catalog/catalog.ts";
import { storageParameters } from "../../../supabase/functions/backup/catalog/options.ts";
import { settingCommand, settingValue } from "../../../supabase/functions/backup/catalog/settings.ts";

const catalog = new Catalog(
  { version: 150000, reserved: new Set(["select", "table"]), superuser: true } as Catalog["facts"],
);

Deno.test("[Catalog.quote] puts a name in quotes where SQL would read it otherwise", () => {
  const cases = {
    plain_1: "plain_1",
    Upper: '"Upper"',
    select: '"select"',
    "1st": '"1st"',
    "a b": '"a b"',
    'a"b': '"a""b"',
    "": '""',
    "é": '"é"',
    "a\nb": '"a\nb"',
    "\\restrict": '"\\restrict"',
  };
  for (const [name, quoted] of Object.entries(cases)) assert.equal(catalog.quote(name), quoted);
  assert.equal(catalog.qualified({ namespace: "S", name: "t" }), '"S".t');
  assert.equal(catalog.qualified({ namespace: null, name: "t" }), "t");
});

Deno.test("[literal] doubles quotes and nothing else; [escapedLiteral] stands under any setting", () => {
  assert.equal(literal("it's \\ so"), "'it''s \\ so'");
  assert.equal(escapedLiteral("it's \\ so"), "E'it''s \\\\ so'");
  assert.equal(escapedLiteral("plain"), "'plain'");
});

Deno.test("[dollarQuoted] takes a delimiter that the text does not begin to hold", () => {
  assert.equal(dollarQuoted("x"), "$$x$$");
  assert.equal(dollarQuoted("costs $5"), "$_$costs $5$_$");
  assert.equal(dollarQuoted("$_$ and $"), "$_X$$_$ and $$_X$");
});

Deno.test("[settingValue] takes lists apart that were quoted when they were stored", () => {
  assert.equal(settingValue("search_path", 'a, "B c", ""'), "'a', 'B c', ''");
  assert.equal(settingValue("Search_Path", '"say ""hi"""'), `'say "hi"'`);
  assert.equal(settingValue("search_path", ""), "");
  assert.equal(settingValue("work_mem", "1MB, or so"), "'1MB, or so'");
  assert.equal(
    settingCommand(catalog, "DATABASE d", "a.b=c\\d"),
    `ALTER DATABASE d SET "a.b" TO E'c\\\\d';\n`,
  );
});

Deno.test("[storageParameters] puts values in quotes that are not names", () => {
  const options = ["fillfactor=70", "autovacuum_enabled=false", "Odd=a=b", "empty="];
  assert.deepEqual(storageParameters(catalog, options, "toast."), [
    "toast.fillfactor='70'",
    "toast.autovacuum_enabled=false",
    `toast."Odd"='a=b'`,
    "toast.empty=''",
  ]);
  assert.deepEqual(storageParameters(catalog, null), []);
});
