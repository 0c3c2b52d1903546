/** The account of a restore, for people and programs. */
import assert from "node:assert/strict";
import {
  type Account,
  closed,
  emptyAccount,
  exitCode,
} from "../../supabase/functions/backup/restore/account.ts";
import { accountDocument, summaryOf } from "../../supabase/functions/backup/restore/account_markdown.ts";

const ACCOUNT: Account = closed({
  ...emptyAccount(),
  asInBackup: 1204,
  rows: 5_000_000,
  changed: [{
    entry: "FK CONSTRAINT public.orders orders_user_id_fkey",
    how: "the constraint is NOT VALID: new rows keep it, and rows that are there may not",
    why: "Key (user_id)=(999) is not present",
    find: "select c.* from public.orders c;",
    mend: ["alter table public.orders validate constraint orders_user_id_fkey;"],
  }],
  leftOut: [{
    entry: "VIEW public.`x\n```\n# Owned",
    why: "TABLE public.t is missing",
    because: "TABLE public.t",
  }],
  aside: [{ table: "public.notes", rows: 3, why: "invalid byte sequence", file: "/tmp/notes.copy" }],
  notes: ["one"],
});

Deno.test("[summaryOf] counts everything on one line", () => {
  assert.equal(
    summaryOf(ACCOUNT),
    "1,204 as in the backup · 1 changed · 1 left out · 5,000,000 rows in, 3 aside",
  );
  assert.equal(summaryOf(emptyAccount()), "0 as in the backup · 0 changed · 0 left out · 0 rows in");
});

Deno.test("[exitCode] is 0 only when all came back as it was", () => {
  assert.equal(exitCode(closed({ ...emptyAccount(), asInBackup: 3, notes: ["worth knowing"] })), 0);
  const { changed, leftOut, aside } = ACCOUNT;
  for (const exception of [{ changed }, { leftOut }, { aside }]) {
    assert.equal(exitCode(closed({ ...emptyAccount(), ...exception })), 3);
  }
});

Deno.test("[accountDocument] says how to find and how to mend, and no name breaks out of it", () => {
  const document = accountDocument(ACCOUNT, "Restore of backup-20261122-030000");
  assert.match(
    document,
    /## Changed\n\n- `FK CONSTRAINT public\.orders orders_user_id_fkey`: the constraint is NOT VALID/,
  );
  assert.match(document, /To mend it:\n\n {2}```sql\n {2}alter table public\.orders validate constraint/);
  assert.match(document, /3 rows, in `\/tmp\/notes\.copy`/);
  assert.deepEqual(document.split("\n").filter((line) => line.startsWith("#")), [
    "# Restore of backup-20261122-030000",
    "## Changed",
    "## Left out",
    "## Rows aside",
    "## Notes",
  ]);
  const hurt = { ...ACCOUNT.changed[0]!, mend: ['alter table "a\n```\n# b" rename to c;'] };
  assert.match(accountDocument({ ...ACCOUNT, changed: [hurt] }, "t"), /\n {2}````sql\n/);
});
