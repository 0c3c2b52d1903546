/** When a cron schedule fires next, as pg_cron understands it: five fields, UTC. */

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const RANGES = [[0, 59], [0, 23], [1, 31], [1, 12], [0, 7]] as const;

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Returns the first time after `now`, or null where the text is not such a schedule. */
export function nextRun(schedule: string, now: Date): Date | null {
  const fields = schedule.trim().toLowerCase().split(/ +/);
  if (fields.length !== 5) return null;
  const sets = fields.map((field, index) => numbersOf(field, index));
  if (sets.some((set) => set === null)) return null;
  const [minutes, hours, days, months, weekdays] = sets as Set<number>[];
  if (weekdays!.has(7)) weekdays!.add(0);
  // Of two fields that restrict the day, one is enough.
  const isDay = (date: Date) => {
    const [inMonth, inWeek] = [days!.has(date.getUTCDate()), weekdays!.has(date.getUTCDay())];
    return fields[2] !== "*" && fields[4] !== "*" ? inMonth || inWeek : inMonth && inWeek;
  };
  const first = Math.floor(now.getTime() / MINUTE) * MINUTE + MINUTE;
  const begin = Math.floor(first / DAY) * DAY;
  // The 29th of February comes within eight years.
  for (let day = begin; day < begin + 8 * 366 * DAY; day += DAY) {
    const date = new Date(day);
    if (!months!.has(date.getUTCMonth() + 1) || !isDay(date)) continue;
    for (let time = Math.max(day, first); time < day + DAY; time += MINUTE) {
      const at = new Date(time);
      if (hours!.has(at.getUTCHours()) && minutes!.has(at.getUTCMinutes())) return at;
    }
  }
  return null;
}

function numbersOf(field: string, index: number): Set<number> | null {
  const [least, most] = RANGES[index]!;
  const numbers = new Set<number>();
  const names = index === 3 ? MONTHS : index === 4 ? DAYS : [];
  for (const item of field.split(",")) {
    const [, range, step = "1"] = /^([^/]+)(?:\/(\d+))?$/.exec(item) ?? [];
    if (range === undefined) return null;
    const ends = range === "*" ? [least, most] : range.split("-").map((text) => {
      const name = names.indexOf(text);
      return name >= 0 ? name + (index === 3 ? 1 : 0) : /^\d+$/.test(text) ? Number(text) : NaN;
    });
    const [from, to = from] = ends;
    if (!(from! >= least && to! <= most && Number(step) > 0)) return null;
    for (let number = from!; number <= to!; number += Number(step)) numbers.add(number);
  }
  return numbers;
}
