/** Secrets of Vault: encrypted with a key that is not in the database, so that only their names can be taken along. */
import { type ArchiveFile, rowsOf } from "./archive_file.ts";
import { columnsOf, valuesOf } from "./copy_text.ts";
import { literal } from "./roles.ts";

/** For each secret the statement that enters it again. */
export async function secretsOf(archive: ArchiveFile): Promise<string[]> {
  const entry = archive.entries.find(({ desc, namespace, tag }) =>
    desc === "TABLE DATA" && namespace === "vault" && tag === "secrets"
  );
  if (entry === undefined) return [];
  const statements: string[] = [];
  for await (const { name, description } of valuesOf(columnsOf(entry.copy!), rowsOf(archive, entry.dumpId))) {
    const text = description ? `, ${literal(description)}` : "";
    statements.push(`select vault.create_secret('…', ${name ? literal(name) : "null"}${text})`);
  }
  return statements;
}
