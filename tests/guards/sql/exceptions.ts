/** Places that break the rule in form only, each with the reason why no object that a user made is chosen there. */
import type { Finding } from "./tree.ts";

export interface Exception {
  /** A file. */
  file: string;
  /** What the finding's text contains; "" for every finding of the file. */
  text: string;
  reason: string;
}

const CATALOGS_ONLY = "the parts that are put in are columns of catalogs, whose types are the catalog's own";

/** Exceptions of a file of the schema versioning. */
const versioning = (file: string, reason: string, texts: string[]): Exception[] =>
  texts.map((text) => ({ file: `supabase/schemas/versioning/${file}.sql`, text, reason }));

/** Exceptions of the comparison after a restore. */
const compared = (reason: string, texts: string[]): Exception[] =>
  texts.map((text) => ({ file: "supabase/functions/backup/compare/sequences.ts", text, reason }));

const EXCEPTIONS: Exception[] = [
  ...versioning("as_of", "what runs of others' here _require_safe_types() has refused before", [
    "versioning._row(null::…, …) as r",
    "(…)::…",
    "_json_of_row(r) from versioning.rows_as_of(null::",
    "from versioning.rows_as_of(null::…, $1, $2) r",
  ]),
  ...versioning("as_of", "the elements are text", ["array[…]::text[]"]),
  ...versioning("readable", "what is compared is text, of _text_of()", ["operator(pg_catalog.=) '2'"]),
  ...versioning(
    "put_back",
    "a restore is a statement of its caller, with the caller's rights, and the types on both sides are the same",
    [
      "delete from … t where",
      "insert into … (…) overriding",
      "update … t set",
      "versioning._row(null::…, $1) as r",
      "… = default",
      "… = (s.r).…",
    ],
  ),
  ...versioning("statements", "only for types of the server, which are listed beside it", [
    "nullif(o.…, n.…)::pg_catalog.text",
  ]),
  ...versioning("statements", "the operator is one of _key_columns, or compares text of _text_of()", [
    "… operator(pg_catalog.=) …",
  ]),
  ...versioning("statements", "the parts that are put in are text, of _text_of(), _key_text() or _row_of()", [
    "array[…]::pg_catalog.text[]",
    "coalesce('=' || …",
    "nullif(…, …)",
    "= '1' || … then 'restore'",
    "insert into versioning.records",
    "r.key = …",
    "l.row <> …",
  ]),
  ...versioning("values", "rows of rows_as_of(), whose casts to JSON _require_safe_types() has looked at", [
    "select to_jsonb(like_row)",
  ]),
  ...versioning("upgrade", "the part that is put in is the number of a table", [
    "current_statement(…, tg_op, tg",
  ]),
  ...versioning("track", "what is compared is text, of _key_text()", ["… = l.key"]),
  ...versioning("types", "only for types of the server, or behind whose casts a superuser stands", [
    "(…::pg_catalog.text collate",
    "…::…",
    "pg_catalog.trim_scale(….…)",
  ]),
  {
    file: "supabase/functions/backup/restore/deferred_checks.ts",
    text: "select …::pg_catalog.regclass::pg_catalog.oid union",
    reason: "a name, as a literal",
  },
  {
    file: "supabase/functions/backup/restore/row_security.ts",
    text: "= any (array[…])",
    reason: "names, as literals",
  },
  {
    file: "supabase/functions/backup/catalog/large_objects.ts",
    text: "/ … as part",
    reason: CATALOGS_ONLY,
  },
  {
    file: "supabase/functions/backup/catalog/columns.ts",
    text: "(select json_agg(json_build_array(a.attnum",
    reason: CATALOGS_ONLY,
  },
  {
    file: "supabase/functions/backup/catalog/composite_types.ts",
    text: "json_build_object('number', a.attnum",
    reason: CATALOGS_ONLY,
  },
  {
    file: "supabase/functions/backup/catalog/query_json.ts",
    text: "",
    reason: "wraps the queries of the families, which give values of the catalog's types",
  },
  {
    file: "supabase/functions/backup/catalog/schemas.ts",
    text: "=U/…",
    reason: "an item of a list of grants, no query",
  },
  { file: "supabase/functions/backup/catalog/selection.ts", text: ".nspname", reason: CATALOGS_ONLY },
  { file: "supabase/functions/backup/catalog/text_search.ts", text: "", reason: CATALOGS_ONLY },
  { file: "supabase/functions/backup/catalog/unsupported.ts", text: "", reason: CATALOGS_ONLY },
  {
    file: "supabase/functions/backup/catalog/sequence_values.ts",
    text: "as oid, last_value",
    reason:
      "restrict_nonsystem_relation_kind refuses a view in the place of a sequence; a sequence's columns are the catalog's types",
  },
  ...["copy/copy_client.ts", "inside/inside_client.ts"].map((file) => ({
    file: `supabase/functions/backup/${file}`,
    text: "(backup.…(",
    reason: "a function of the schema backup, whose arguments and result are the catalog's types",
  })),
  {
    file: "supabase/functions/backup/inside/statements.ts",
    text: "::…",
    reason: "statements that are shown for a person to run, who writes the table then",
  },
  {
    file: "supabase/functions/backup/postgres/snapshot.ts",
    text: "(values …) as setting (name, value)",
    reason: "names and values of settings, as constants",
  },
  {
    file: "supabase/functions/backup/catalog/large_objects.ts",
    text: "- 1) / …",
    reason: "a number, as a constant",
  },
  ...compared("a sequence is asked, whose columns are the catalog's", [
    "select last_value::pg_catalog.text",
    "as called, case when is_called",
    "last_value + seqincrement",
    "from …, pg_catalog.",
    "where seqrelid = …",
    "pg_sequence where seqrelid = …",
  ]),
  ...compared("only columns of the catalog's number types are asked", [
    "select pg_catalog.…(…)",
    "as most from …",
  ]),
  ...compared("a trial row runs what a restore has run already, and is rolled back", [
    "insert into … default values",
    "insert into … (…) select …",
  ]),
  {
    file: "supabase/functions/backup/restore_plan/cron_jobs.ts",
    text: "current_database()::pg_catalog.text…",
    reason: "the second half of a statement: a name, or the word NULL",
  },
  ...["…::…", "SET LOCAL session_replication_role"].map((text) => ({
    file: "supabase/functions/backup/restore_plan/managed_rows.ts",
    text,
    reason: "tables of the platform, whose columns have the platform's types",
  })),
  {
    file: "supabase/functions/backup/restore_plan/reset_backup_state.ts",
    text: "backup.settings SET …",
    reason: "our own table",
  },
  ...[
    "now.… = old.…",
    "insert into … (…)… select …",
    "update … now set …",
    "= old.…",
    "is distinct from …",
    "…::… as …",
  ]
    .map((text) => ({
      file: "supabase/functions/backup/restore_plan/merge_sql.ts",
      text,
      reason: "statements that are shown for a person to run, who writes the table then",
    })),
  {
    file: "supabase/functions/backup/restore/queues.ts",
    text: "",
    reason: "pgmq's own list and functions: it asks first whether they are the extension's",
  },
  ...["serted as ( insert into … (…)", "select pg_catalog.setval(s.seqrelid"].map((text) => ({
    file: "supabase/functions/backup/restore/extension_rows.ts",
    text,
    reason:
      "a restore writes tables of the target with the rights of whoever restores, in columns of the same types",
  })),
  {
    file: "supabase/functions/backup/slices/large_row.ts",
    text: "… > 1073000000",
    reason: "the parts that are put in are octet_length() of columns of bytea, text and varchar",
  },
];

/** Returns the findings that no exception covers, and the exceptions that cover none. */
export function withoutExceptions(findings: Finding[]): { findings: Finding[]; unused: Exception[] } {
  const covers = (exception: Exception, { where, text }: Finding) =>
    `${where}:`.startsWith(`${exception.file}:`) && text.includes(exception.text);
  return {
    findings: findings.filter((finding) => !EXCEPTIONS.some((exception) => covers(exception, finding))),
    unused: EXCEPTIONS.filter((exception) => !findings.some((finding) => covers(exception, finding))),
  };
}
