/** Kinds of an archive's entries in the words of people. */
import { counted } from "../terminal/format.ts";

/** Kinds whose name in an archive is not the word for them, with their plural. */
const WORDS: Record<string, [one: string, many: string]> = {
  ACL: ["grant", "grants"],
  "ACCESS METHOD": ["access method", "access methods"],
  BLOB: ["large object", "large objects"],
  "BLOB METADATA": ["large object", "large objects"],
  BLOBS: ["content of large objects", "contents of large objects"],
  "DEFAULT ACL": ["default grant", "default grants"],
  "FK CONSTRAINT": ["foreign key", "foreign keys"],
  "INDEX ATTACH": ["attached index", "attached indexes"],
  "MATERIALIZED VIEW DATA": ["refresh", "refreshes"],
  "PUBLICATION TABLE": ["published table", "published tables"],
  "ROW SECURITY": ["table with row security", "tables with row security"],
  "SEQUENCE OWNED BY": ["sequence of a column", "sequences of columns"],
  "SEQUENCE SET": ["position of a sequence", "positions of sequences"],
  "TABLE ATTACH": ["partition", "partitions"],
  "TABLE DATA": ["table's rows", "tables' rows"],
};

/** Kinds that every archive has, and that nobody asks for. */
const SETTINGS = /^(ENCODING|STDSTRINGS|SEARCHPATH)$/;

/** Returns how many there are of each kind: `3 tables, 1 policy`. */
export function kindsInWords(entries: readonly { desc: string }[]): string {
  const kinds = new Map<string, number>();
  for (const { desc } of entries) {
    if (!SETTINGS.test(desc)) kinds.set(desc, (kinds.get(desc) ?? 0) + 1);
  }
  return [...kinds].map(([desc, number]) => counted(number, ...(WORDS[desc] ?? regular(desc.toLowerCase()))))
    .join(", ");
}

function regular(word: string): [one: string, many: string] {
  if (word.endsWith("y")) return [word, word.replace(/y$/, "ies")];
  return [word, /(s|x|ch)$/.test(word) ? `${word}es` : `${word}s`];
}
