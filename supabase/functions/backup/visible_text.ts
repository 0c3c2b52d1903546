/** Text of other people, such as the names of tables and roles, made safe for terminals, Markdown, shells and psql. */

/**
 * Characters that a terminal or an editor obeys or hides instead of showing: controls, line separators, changes of
 * direction, fillers. Joiners and variation selectors stay, because ordinary words and emoji need them.
 */
const OBEYED =
  /(?![\u200c\u200d\ufe00-\ufe0f])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

const SHORT: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Returns the text on one line, with such characters as escapes: `\n`, `\u{1b}`. */
export function visible(text: string): string {
  return text.replace(
    OBEYED,
    (character) => SHORT[character] ?? `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

/** Returns the text as one line of Markdown that shows as it is and holds no markup. */
export function markdown(text: string): string {
  return visible(text).replace(/[\\`*[\]<>|~&#!]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "\\$&");
}

/** Returns the text as a code span of Markdown. */
export function codeSpan(text: string): string {
  const shown = visible(text);
  const longest = Math.max(0, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return longest === 0 ? `${fence}${shown}${fence}` : `${fence} ${shown} ${fence}`;
}

/** Returns JSON whose strings hold such characters as escapes: to a program it is the same. */
export function visibleJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(OBEYED, (character) => {
    if (character === "\n") return character;
    return [...Array(character.length).keys()]
      .map((unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, "0")}`).join("");
  });
}

/**
 * Returns an identifier for psql on one line: a name with control characters ends no here-document. Escapes are
 * understood where `standard_conforming_strings` is on, which is the default.
 */
export function identifier(name: string): string {
  return unicodeQuoted(`"${name.replaceAll('"', '""')}"`);
}

/** Returns SQL in which quoted names and strings have no control characters; its own line breaks stay. */
export function visibleSql(sql: string): string {
  return sql.replace(/(?<![\w&])(?:"(?:[^"]|"")*"|'(?:[^']|'')*')/g, unicodeQuoted);
}

function unicodeQuoted(quoted: string): string {
  if (visible(quoted) === quoted) return quoted;
  const escaped = quoted.replaceAll("\\", "\\\\").replace(
    OBEYED,
    (character) => `\\+${character.codePointAt(0)!.toString(16).padStart(6, "0")}`,
  );
  return `U&${escaped}`;
}
