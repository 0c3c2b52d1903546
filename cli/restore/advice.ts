/** What to do about errors of the server that a restore meets again and again. */

interface Known {
  /** Of the entry at which it stopped, where that matters. */
  entry?: RegExp;
  error: RegExp;
  advice: string;
}

const KNOWN: Known[] = [
  {
    error: /out of shared memory/,
    advice: "The server has too few locks for one transaction: --jobs 2 does without it.",
  },
  {
    entry: /MATERIALIZED VIEW DATA/,
    error: /permission denied|row-level security/,
    advice:
      "A refresh runs as the view's owner: who is a member of which role, and bypasses row security, is not in a backup. Create the roles so first.",
  },
  {
    error: /violates foreign key constraint/,
    advice:
      "Rows of the other table are not there: name it too (--table), or fetch a copy beside the living table (--into-schema).",
  },
  {
    error: /duplicate key value violates unique constraint/,
    advice:
      "Rows are there already: fetch a copy beside the table (--into-schema), with the statements that take rows back.",
  },
  {
    error: /must be (member of role|able to SET ROLE)/,
    advice: "Restore as a superuser or a member of that role, or leave owners and grants out: --no-owner.",
  },
  {
    entry: / VIEW /,
    error: /relation "[^"]*" does not exist/,
    advice: "What it reads is not there: name that too (--table, repeated).",
  },
  {
    error: /because other objects depend on it/,
    advice:
      "What hangs on it is not in this restore: drop it yourself if it may go, or fetch a copy beside the living table (--into-schema).",
  },
];

/** "" for what is not known. */
export function adviceOn(entry: string, error: string): string {
  return KNOWN.filter((known) => known.error.test(error) && (known.entry?.test(entry) ?? true))
    .map(({ advice }) => ` ${advice}`).join("");
}
