/** A year of runs: a square for each day, a column for each week. */
import { link } from "./links.ts";
import { Scroll } from "./parts.tsx";
import type { Run } from "./types.ts";

const DAY = 24 * 3600 * 1000;
const WEEKS = 53;

const dayOf = (instant: string | number) => new Date(instant).toISOString().slice(0, 10);

/** What a day with several runs counts as: the worst, but an active one first. */
const WORST = ["running", "queued", "failed", "cancelled", "succeeded"];

export function Calendar({ runs }: { runs: Run[] }) {
  const days = Map.groupBy(runs, ({ started_at: started }) => dayOf(started));
  const today = Date.parse(dayOf(Date.now()));
  const begin = today - (new Date(today).getUTCDay() + 7 * (WEEKS - 1)) * DAY;
  const weeks = Array.from({ length: WEEKS }, (_, week) => begin + week * 7 * DAY);
  return (
    <section>
      <h2>The last year</h2>
      <Scroll label="Runs of the last year, day by day" atEnd>
        <div class="calendar">
          {weeks.map((week) => (
            <div class="week">
              <span class="month">{monthOf(week)}</span>
              {Array.from({ length: 7 }, (_, day) => week + day * DAY).map((day) =>
                day > today
                  ? <span class="day future" />
                  : <Day day={day} runs={days.get(dayOf(day)) ?? []} />
              )}
            </div>
          ))}
        </div>
      </Scroll>
      <p class="legend">
        <span class="day succeeded" /> succeeded <span class="day failed" /> failed{" "}
        <span class="day cancelled" /> cancelled <span class="day running" /> running
      </p>
    </section>
  );
}

/** The name of a month in the column of its first week. */
function monthOf(week: number): string {
  const date = new Date(week);
  return date.getUTCDate() <= 7 ? date.toLocaleString("en", { month: "short", timeZone: "UTC" }) : "";
}

function Day({ day, runs }: { day: number; runs: Run[] }) {
  if (runs.length === 0) return <span class="day" title={dayOf(day)} />;
  const status = WORST.find((status) => runs.some((run) => run.status === status))!;
  const run = runs.find((run) => run.status === status)!;
  const words = `${dayOf(day)}: ${runs.length === 1 ? `run ${run.id}` : `${runs.length} runs`}, ${status}`;
  return <a class={`day ${status}`} href={link("runs", run.id)} title={words} aria-label={words} />;
}
