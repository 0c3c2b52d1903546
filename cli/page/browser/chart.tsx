/** A figure of the runs over time. The table below it has the same figures for those who cannot see it. */
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { bytes, count, duration } from "../../terminal/format.ts";
import type { Run } from "./types.ts";

interface Figure {
  label: string;
  of: (run: Run) => number | null;
  words: (value: number) => string;
}

const FIGURES: Figure[] = [
  { label: "Stored size", of: (run) => run.stored_bytes, words: bytes },
  { label: "Size before compression", of: (run) => run.raw_bytes, words: bytes },
  { label: "Rows", of: (run) => run.rows, words: count },
  {
    label: "Duration",
    of: (run) => run.finished_at === null ? null : Date.parse(run.finished_at) - Date.parse(run.started_at),
    words: duration,
  },
  { label: "CPU", of: (run) => run.cpu_ms, words: duration },
  { label: "Attempts", of: (run) => run.attempt, words: count },
];

const HEIGHT = 220;

const inUtc = (seconds: number) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC");
const dayOf = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 10);

export function Chart({ runs }: { runs: Run[] }) {
  const [chosen, setChosen] = useState(0);
  const place = useRef<HTMLDivElement>(null);
  const figure = FIGURES[chosen]!;
  const shown = runs.filter((run) => figure.of(run) !== null).toReversed();
  useEffect(() => {
    const element = place.current!;
    const dark = matchMedia("(prefers-color-scheme: dark)");
    let plot: uPlot | null = null;
    const draw = () => {
      plot?.destroy();
      const color = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name);
      const axis = {
        stroke: color("--muted"),
        grid: { stroke: color("--line"), width: 1 },
        ticks: { show: false },
      };
      plot = new uPlot(
        {
          width: element.clientWidth,
          height: HEIGHT,
          padding: [8, 40, 0, 0],
          tzDate: inUtc,
          // Values are read on a scale that begins with zero.
          scales: { y: { range: (_plot, _least, most) => [0, (most || 1) * 1.1] } },
          axes: [{ ...axis, space: 100, values: (_plot, values) => values.map(dayOf) }, {
            ...axis,
            size: 72,
            values: (_plot, values) => values.map((value) => figure.words(value)),
          }],
          series: [
            {
              value: (_plot, value) =>
                value === null ? "" : new Date(value * 1000).toISOString().slice(0, 16),
            },
            {
              label: figure.label,
              stroke: color("--accent"),
              width: 2,
              points: { show: shown.length < 120, size: 6 },
              fill: color("--accent-soft"),
              value: (_plot, value) => value === null ? "" : figure.words(value),
            },
          ],
        },
        [shown.map((run) => Date.parse(run.started_at) / 1000), shown.map(figure.of) as number[]],
        element,
      );
    };
    draw();
    const resized = new ResizeObserver(() => plot!.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    dark.addEventListener("change", draw);
    return () => {
      resized.disconnect();
      dark.removeEventListener("change", draw);
      plot!.destroy();
    };
  }, [chosen, runs.length, runs[0]?.id, runs[0]?.status]);
  return (
    <section>
      <h2 id="chart">Over time</h2>
      <div class="tabs" role="group" aria-label="Figure">
        {FIGURES.map(({ label }, index) => (
          <button
            type="button"
            aria-pressed={index === chosen}
            onClick={() => setChosen(index)}
          >
            {label}
          </button>
        ))}
      </div>
      <div class="chart" ref={place} role="img" aria-label={`${figure.label} of ${shown.length} runs`} />
    </section>
  );
}
