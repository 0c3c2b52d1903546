/** Hints for errors of the server that restores often meet. */

interface Known {
  /** Matches the entry at which the restore stopped, where that matters. */
  entry?: RegExp;
  error: RegExp;
  advice: string;
}

const KNOWN: Known[] = [
  {
    error: /out of shared memory/,
    advice: "The server has too few locks for one transaction. Use several with --jobs 2.",
  },
  {
    entry: /MATERIALIZED VIEW DATA/,
    error: /permission denied|row-level security/,
    advice:
      "A refresh runs as the view's owner, and memberships and attributes of roles are not in a backup. Create the roles first, with the rights that they need.",
  },
  {
    error: /violates foreign key constraint/,
    advice:
      "Rows of the other table are missing. Name that table too (--table), or restore a copy beside the table (--into-schema).",
  },
  {
    error: /duplicate key value violates unique constraint/,
    advice:
      "The rows exist already. Restore a copy beside the table (--into-schema), with statements that merge its rows.",
  },
  {
    error: /must be (member of role|able to SET ROLE)/,
    advice: "Restore as a superuser or a member of that role, or leave out owners and grants: --no-owner.",
  },
  {
    entry: / VIEW /,
    error: /relation "[^"]*" does not exist/,
    advice: "A table that the view reads is missing. Name it too (--table, repeated).",
  },
  {
    error: /because other objects depend on it/,
    advice:
      "Objects depend on it that are not in this restore. Drop them yourself, or restore a copy beside the table (--into-schema).",
  },
];

/** Returns "" for an error that is not known. */
export function adviceOn(entry: string, error: string): string {
  return KNOWN.filter((known) => known.error.test(error) && (known.entry?.test(entry) ?? true))
    .map(({ advice }) => ` ${advice}`).join("");
}
