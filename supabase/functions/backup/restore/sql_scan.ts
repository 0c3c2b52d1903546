/** Walking over the text of a definition without falling for what stands in constants and quoted names. */

/** Returns where the parenthesis that is open at `at` is closed, behind it. */
export function closing(text: string, at: number): number {
  for (let depth = 1; at < text.length;) {
    if (text[at] === "(") depth++;
    if (text[at] === ")" && --depth === 0) return at + 1;
    at = tokenEnd(text, at);
  }
  return text.length;
}

/** Returns the end of a constant or a quoted name that begins at `at`, else of the one character. */
export function tokenEnd(text: string, at: number): number {
  const quote = text[at];
  if (quote !== "'" && quote !== '"') return at + 1;
  const escapes = quote === "'" && text[at - 1] === "E";
  for (let end = at + 1; end < text.length; end++) {
    if (escapes && text[end] === "\\") end++;
    else if (text[end] === quote) return end + 1;
  }
  return text.length;
}
