/**
 * Colors that only this program can switch on. A style is a mark with a number that nobody outside this process knows;
 * the output turns marks into escape sequences, and shows every other control character as text.
 */
import { visible } from "../../supabase/functions/backup/visible_text.ts";

const NONCE = crypto.randomUUID();
const MARK = new RegExp(`\x1b<${NONCE}:(\\d+)>`);
const MARKS = new RegExp(MARK, "g");

function style(code: number): (text: string) => string {
  return (text) => `\x1b<${NONCE}:${code}>${text}\x1b<${NONCE}:0>`;
}

export const colors = {
  bold: style(1),
  dim: style(2),
  red: style(31),
  green: style(32),
  yellow: style(33),
  cyan: style(36),
};

/** Returns one line for a terminal or, without colors, for a file. */
export function rendered(line: string, withColors: boolean): string {
  return line.split(MARK).map((part, index) =>
    index % 2 === 0 ? visible(part) : withColors ? `\x1b[${part}m` : ""
  )
    .join("");
}

/** Returns the text as it will be shown, without styles. */
export function plain(text: string): string {
  return visible(text.replace(MARKS, ""));
}

export function isStyled(text: string): boolean {
  return MARK.test(text);
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const NARROW = /[\p{M}\u200c\u200d]/u;

/** Returns how many columns of a terminal the text takes. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of plain(text)) width += NARROW.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}
