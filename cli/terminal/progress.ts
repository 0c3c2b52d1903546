/** How far a command is: a bar on a terminal, elsewhere a line now and then. */
import { canDrawStatus, drawStatus, proseWidth, say } from "./output.ts";
import { colors, plain, widthOf } from "./style.ts";

export interface Progress {
  /** `done` of `total` in any unit; `note` stands at the end of the line. */
  update(done: number, total: number, note: string): void;
  stop(): void;
}

const BAR_COLUMNS = 30;
const REDRAW_MILLISECONDS = 100;

/**
 * Returns a bar on a terminal; elsewhere a line when the note has changed, at most one a second, so that a log stays
 * readable.
 */
export function progress(label: string): Progress {
  return canDrawStatus() ? bar(label) : lines(label);
}

function bar(label: string): Progress {
  let [share, note, drawnAt] = [0, "", -Infinity];
  const line = () => {
    const filled = Math.floor(share * BAR_COLUMNS);
    const drawn = "█".repeat(filled) + "░".repeat(BAR_COLUMNS - filled);
    const begin = `${label} ${drawn} ${Math.floor(share * 100)} % `;
    return begin.replace(drawn, colors.cyan(drawn)) + cut(plain(note), proseWidth() - 1 - widthOf(begin));
  };
  drawStatus(line);
  return {
    update(done, total, text) {
      share = Math.min(done / Math.max(total, 1), 1);
      note = text;
      if (performance.now() - drawnAt < REDRAW_MILLISECONDS && share < 1) return;
      drawnAt = performance.now();
      drawStatus(line);
    },
    stop: () => drawStatus(null, true),
  };
}

function cut(text: string, width: number): string {
  let shown = "";
  for (const character of text) {
    if (widthOf(shown + character) > width - 1) return `${shown}…`;
    shown += character;
  }
  return shown;
}

function lines(label: string): Progress {
  let current = "";
  let shown = "";
  let shownAt = -Infinity;
  const show = () => {
    if (current !== shown) say(`${label}: ${current}`);
    shown = current;
    shownAt = performance.now();
  };
  return {
    update(_done, _total, note) {
      current = note;
      if (performance.now() - shownAt >= 1000) show();
    },
    stop: show,
  };
}
