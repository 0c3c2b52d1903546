/** The runs of a year, and how the backups are. */
import { useState } from "preact/hooks";
import { bytes, duration, instant } from "../../terminal/format.ts";
import { Calendar } from "./calendar.tsx";
import { Chart } from "./chart.tsx";
import { forecast } from "./forecast.ts";
import { link } from "./links.ts";
import { Card, Chip, Problem, Scroll, Text, Title } from "./parts.tsx";
import { nextRun } from "./schedule.ts";
import type { Backup, Extras, Health, Overview, Run } from "./types.ts";
import { distance, number } from "./words.ts";

export function TimelineView({ overview }: { overview: Overview }) {
  const { health, runs, backups, extras } = overview;
  return (
    <>
      <Title>Timeline</Title>
      {health.error ? <Problem of={health.error} /> : <HealthPanel health={health.value} />}
      <Cards overview={overview} />
      {runs.error ? <Problem of={runs.error} /> : runs.value.length === 0
        ? (
          <p>
            There is no run yet. Start one with <code>supabase-backup backup</code>.
          </p>
        )
        : (
          <>
            <Calendar runs={runs.value} />
            <Chart runs={runs.value} />
            <RunsTable runs={runs.value} backups={backups.value ?? []} extras={extras.value ?? null} />
          </>
        )}
      {extras.value && extras.value.drills.length > 0 && <Drills drills={extras.value.drills} />}
    </>
  );
}

const VERDICTS = {
  ok: "The backups are ok",
  warning: "The backups need attention",
  failing: "Backups are failing",
};

function HealthPanel({ health: { verdict, reasons } }: { health: Health }) {
  return (
    <section class={`health ${verdict}`} aria-label="Health">
      <h2>
        <Chip kind={verdict}>{verdict}</Chip> {VERDICTS[verdict]}
      </h2>
      {reasons.length > 0 && (
        <ul>
          {reasons.map(({ severity, message, hint }) => (
            <li class={severity}>
              <span>
                <Text of={message} />
              </span>
              {hint && (
                <small>
                  <Text of={hint} />
                </small>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Cards({ overview: { health, runs, backups, extras } }: { overview: Overview }) {
  const newest = runs.value?.find(({ status }) => status === "succeeded");
  const active = runs.value?.find(({ finished_at: finished }) => finished === null);
  const schedule = health.value?.facts?.schedule ?? null;
  const next = schedule === null ? null : nextRun(schedule, new Date());
  const stored = backups.value?.reduce((sum, { storedBytes }) => sum + storedBytes, 0) ?? 0;
  const drill = health.value?.facts?.last_drill;
  return (
    <div class="cards">
      <Card title="Newest backup">
        {newest
          ? (
            <>
              <b>{distance(newest.finished_at!)}</b>
              <p>
                <a href={link("backups", newest.name)}>{newest.name}</a>
              </p>
            </>
          )
          : <b>none</b>}
      </Card>
      <Card title="Next run">
        {active
          ? (
            <b>
              <a href={link("runs", active.id)}>running now</a>
            </b>
          )
          : <b>{next ? distance(next) : "not scheduled"}</b>}
        <p>
          {next ? instant(next) : schedule ? <Text of={schedule} /> : "select backup.schedule('0 3 * * 0')"}
        </p>
      </Card>
      <Card title="Stored">
        <b>{bytes(stored)}</b>
        <p>
          {number(backups.value?.length ?? 0)}{" "}
          backups{extras.value && (
            <Quota extras={extras.value} runs={runs.value ?? []} kept={backups.value?.length ?? 0} />
          )}
        </p>
      </Card>
      <Card title="Last drill">
        <b>{drill ? distance(drill) : "never"}</b>
        <p>{drill ? instant(drill) : "Run supabase-backup drill"}</p>
      </Card>
    </div>
  );
}

function Quota({ extras: { quota, stored }, runs, kept }: { extras: Extras; runs: Run[]; kept: number }) {
  if (quota === 0) return <>; quota unknown</>;
  const full = forecast(runs, { kept, stored, quota }, Date.now());
  return <>; {bytes(stored)} of {bytes(quota)} used{full ? `, full ${distance(full)}` : ""}</>;
}

const FIRST_RUNS = 20;

function RunsTable({ runs, backups, extras }: { runs: Run[]; backups: Backup[]; extras: Extras | null }) {
  const [all, setAll] = useState(false);
  const stored = new Set(backups.map(({ name }) => name));
  const copies = new Map(extras?.copies.map((copy) => [copy.name, copy]));
  const shown = all ? runs : runs.slice(0, FIRST_RUNS);
  return (
    <section>
      <h2>Runs</h2>
      <Scroll label="Runs">
        <table>
          <thead>
            <tr>
              <th>Run</th>
              <th>Status</th>
              <th>Backup</th>
              <th>Started</th>
              <th class="number">Took</th>
              <th class="number">Rows</th>
              <th class="number">Stored</th>
              {extras && <th>Second copy</th>}
            </tr>
          </thead>
          <tbody>
            {shown.map((run) => {
              const copy = copies.get(run.name);
              return (
                <tr>
                  <td>
                    <a href={link("runs", run.id)}>{run.id}</a>
                  </td>
                  <td>
                    <Chip kind={run.status}>{run.status}</Chip>
                  </td>
                  <td>
                    {stored.has(run.name)
                      ? <a href={link("backups", run.name)}>{run.name}</a>
                      : <Text of={run.name} />}
                  </td>
                  <td>{instant(run.started_at)}</td>
                  <td class="number">
                    {run.finished_at && duration(Date.parse(run.finished_at) - Date.parse(run.started_at))}
                  </td>
                  <td class="number">{number(run.rows)}</td>
                  <td class="number">{run.stored_bytes === null ? "" : bytes(run.stored_bytes)}</td>
                  {extras && (
                    <td>
                      {copy ? copy.verified_at ? "verified" : <Text of={copy.error ?? "pending"} /> : ""}
                    </td>
                  )}
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
      {runs.length > shown.length && (
        <button type="button" onClick={() => setAll(true)}>Show all {runs.length} runs</button>
      )}
    </section>
  );
}

function Drills({ drills }: { drills: Extras["drills"] }) {
  return (
    <section>
      <h2>Drills</h2>
      <Scroll label="Drills">
        <table>
          <thead>
            <tr>
              <th>Backup</th>
              <th>When</th>
              <th>Result</th>
              <th class="number">Passed</th>
              <th class="number">Failed</th>
            </tr>
          </thead>
          <tbody>
            {drills.map(({ name, started_at, passed, failed }) => (
              <tr>
                <td>{name}</td>
                <td>{instant(started_at)}</td>
                <td>
                  <Chip kind={failed === 0 ? "succeeded" : "failed"}>
                    {failed === 0 ? "passed" : "failed"}
                  </Chip>
                </td>
                <td class="number">{passed}</td>
                <td class="number">{failed}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}
