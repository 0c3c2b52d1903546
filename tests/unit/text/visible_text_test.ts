/** Names of other people in a terminal, in Markdown, in JSON and in psql. */
import assert from "node:assert/strict";
import {
  codeSpan,
  identifier,
  markdown,
  visible,
  visibleJson,
  visibleSql,
} from "../../../supabase/functions/backup/visible_text.ts";

/** What a terminal obeys: each must come out as printable text. */
const ATTACKS = [
  "\x1b[2J",
  "\x1b]0;title\x07",
  "\x9b2J",
  "\r",
  "\n✔ restored",
  "\t",
  "\x7f",
  "\0",
  "\u202egnp.exe",
  "\u2066a\u2069",
  "\u200ea\u200f",
  "\u061c",
  "\u2028✔ restored",
  "\u2029",
  "\u200b",
  "\ufeff",
  "\u00ad",
  "\u3164",
  "\u{e0041}",
  "\ud800",
];

/** Letters, marks, numbers, punctuation, symbols and the plain space, and what joins letters and emoji. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} \u200c\u200d]*$/u;

Deno.test("visible() shows every character that a terminal obeys or hides", () => {
  for (const attack of ATTACKS) {
    const shown = visible(`a${attack}b`);
    assert.match(shown, PRINTABLE, JSON.stringify(attack));
    assert.ok(!shown.includes("\u3164") && shown.length > `a${attack}b`.length, JSON.stringify(attack));
  }
  assert.equal(visible("a\n\t\r\x1b\u202e"), "a\\n\\t\\r\\u{1b}\\u{202e}");
});

Deno.test("visible() leaves names of all languages as they are", () => {
  for (const name of ["Bestellungen", "日本語", "می‌خواهم", "👩‍👧 ❤️", "naïve", 'a"b\\c', "שלום"]) {
    assert.equal(visible(name), name);
  }
});

Deno.test("visibleJson() is the same to a program", () => {
  const value = { "a\u202e": ATTACKS.filter((attack) => attack !== "\ud800") };
  const json = visibleJson(value);
  assert.deepEqual(JSON.parse(json), value);
  for (const line of json.split("\n")) assert.match(line, PRINTABLE);
});

Deno.test("markdown() and codeSpan() let no name end a line, a span or a block", () => {
  assert.equal(markdown("public.my_table"), "public.my_table");
  assert.equal(markdown("a\n\n```sh\nrm\n```"), "a\\\\n\\\\n\\`\\`\\`sh\\\\nrm\\\\n\\`\\`\\`");
  assert.equal(markdown("[x](http://e) <b> _x_"), "\\[x\\](http://e) \\<b\\> \\_x\\_");
  assert.equal(codeSpan("postgres"), "`postgres`");
  assert.equal(codeSpan("a`b``c\n"), "``` a`b``c\\n ```");
});

Deno.test("identifier() is one line for psql, whatever the name", () => {
  assert.equal(identifier('a"b\\c'), '"a""b\\c"');
  assert.equal(identifier('a\n"\\'), 'U&"a\\+00000a""\\\\"');
});

Deno.test("visibleSql() escapes what is quoted, and keeps the statement's own lines", () => {
  assert.equal(
    visibleSql(`select 'it''s'\n  from "a\nb"."c""\x1b" where x = 'y\u202e'`),
    `select 'it''s'\n  from U&"a\\+00000ab".U&"c""\\+00001b" where x = U&'y\\+00202e'`,
  );
});
