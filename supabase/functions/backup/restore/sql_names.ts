/** Names as they stand in the text of archives, where pg_dump quotes them if need be. */

/** A name, quoted or not. */
export const IDENTIFIER = /(?:"(?:[^"]|"")+"|[\w$]+)/.source;

/** A name, with a schema or without. */
export const QUALIFIED = `${IDENTIFIER}(?:\\.${IDENTIFIER})?`;

/** Returns the columns that a statement `COPY name (a, b) FROM stdin;` names, not quoted. */
export function columnsOf(copy: string): string[] {
  const [, list = ""] = / \(((?:"(?:[^"]|"")*"|[^")])*)\) FROM stdin;/s.exec(copy) ?? [];
  return [...list.matchAll(/"((?:[^"]|"")*)"|([^,\s"]+)/g)].map(([, quoted, plain]) =>
    quoted?.replaceAll('""', '"') ?? plain!
  );
}
