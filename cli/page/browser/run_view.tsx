/** A run: how far it is, table by table, and how it ended. */
import { useEffect, useState } from "preact/hooks";
import { bytes, duration, instant } from "../../terminal/format.ts";
import { ask, type Failure } from "./api.ts";
import { link } from "./links.ts";
import { Card, Chip, Loading, Problem, Scroll, Text, Title } from "./parts.tsx";
import type { Overview, Run, TableProgress } from "./types.ts";
import { number } from "./words.ts";

const POLL_MS = 1000;

interface State {
  run: Run;
  tables: TableProgress[] | null;
}

export function RunView({ id, overview }: { id: number; overview: Overview }) {
  const [state, setState] = useState<State | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  useEffect(() => {
    const leaving = new AbortController();
    let timer = 0;
    const read = async () => {
      try {
        const found = await ask<State>(`runs/${id}`, leaving.signal);
        setState(found);
        setFailure(null);
        if (found.run.finished_at === null) timer = setTimeout(read, POLL_MS);
      } catch (error) {
        if (!leaving.signal.aborted) setFailure(error as Failure);
      }
    };
    read();
    return () => {
      leaving.abort();
      clearTimeout(timer);
    };
  }, []);
  if (state === null) return failure ? <Problem of={failure} /> : <Loading />;
  const { run, tables } = state;
  const isStored = overview.backups.value?.some(({ name }) => name === run.name);
  return (
    <>
      <Title
        note={
          <>
            <Chip kind={run.status}>{run.status}</Chip>{" "}
            {run.phase && run.finished_at === null ? run.phase : ""}
          </>
        }
      >
        Run {run.id}
      </Title>
      {failure && <Problem of={failure} />}
      <div class="cards">
        <Card title="Backup">
          <b class="name">
            {isStored ? <a href={link("backups", run.name)}>{run.name}</a> : <Text of={run.name} />}
          </b>
          <p>
            {isStored ? "stored" : run.finished_at === null ? "being written" : "no longer stored"}
            {run.pinned && ", pinned"}
          </p>
        </Card>
        <Card title={run.finished_at ? "Took" : "Running for"}>
          <b>
            {duration(
              (run.finished_at ? Date.parse(run.finished_at) : Date.now()) - Date.parse(run.started_at),
            )}
          </b>
          <p>{instant(run.started_at)}, {run.trigger}</p>
        </Card>
        <Card title="Rows">
          <b>{number(run.rows ?? run.progress?.rows)}</b>
          <p>{run.tables !== null && `${number(run.tables)} tables`}</p>
        </Card>
        <Card title="Size">
          <b>{bytes(run.stored_bytes ?? run.progress?.raw_bytes ?? 0)}</b>
          <p>
            {run.raw_bytes !== null
              ? `${bytes(run.raw_bytes)} uncompressed, ${number(run.parts)} parts`
              : "before compression"}
          </p>
        </Card>
      </div>
      {run.error_message && <Problem of={{ message: run.error_message, hint: run.error_hint ?? "" }} />}
      {run.finished_at === null && (
        <Bar
          label="The whole run"
          done={run.progress?.raw_bytes ?? 0}
          of={run.progress?.estimated_bytes ?? 0}
        />
      )}
      {run.attempts.length > 0 && (
        <section>
          <h2>Earlier attempts</h2>
          <ul>
            {run.attempts.map(({ error }, index) => (
              <li>
                Attempt {index + 1}: <Text of={error.code} />
              </li>
            ))}
          </ul>
        </section>
      )}
      {run.warnings.length > 0 && <Warnings warnings={run.warnings} />}
      {tables && tables.length > 0 && <Tables tables={tables} isOver={run.finished_at !== null} />}
      {tables === null && run.finished_at === null && (
        <p class="hint">Tables are shown when the page is started with SUPABASE_DB_URL.</p>
      )}
      <Events overview={overview} run={run} />
    </>
  );
}

function Bar({ label, done, of }: { label: string; done: number; of: number }) {
  const share = of === 0 ? 0 : Math.min(1, done / of);
  return <progress aria-label={label} value={share} max={1}>{Math.round(share * 100)} %</progress>;
}

export function Warnings({ warnings }: { warnings: Run["warnings"] }) {
  return (
    <section>
      <h2>Not in the backup, or changed</h2>
      <ul class="warnings">
        {warnings.map(({ object, message }) => (
          <li>
            {object && (
              <b>
                <Text of={object} />
              </b>
            )} <Text of={message} />
          </li>
        ))}
      </ul>
    </section>
  );
}

const FIRST = 100;

function Tables({ tables, isOver }: { tables: TableProgress[]; isOver: boolean }) {
  return (
    <section>
      <h2>Tables</h2>
      <Scroll label="Tables of the run">
        <table>
          <thead>
            <tr>
              <th>Table</th>
              <th class="number">Rows</th>
              <th class="number">Read</th>
              <th>Progress</th>
            </tr>
          </thead>
          <tbody>
            {tables.slice(0, FIRST).map(({ name, rows, raw_bytes, estimated_bytes, done }) => (
              <tr>
                <td>
                  <Text of={name} />
                </td>
                <td class="number">{number(rows)}</td>
                <td class="number">{bytes(raw_bytes)}</td>
                <td>
                  {done || isOver ? "done" : <Bar label={name} done={raw_bytes} of={estimated_bytes} />}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {tables.length > FIRST && <p class="hint">and {number(tables.length - FIRST)} smaller tables</p>}
    </section>
  );
}

/** What changed in the backups' health since the run began, until the next one. */
function Events({ overview, run }: { overview: Overview; run: Run }) {
  const next = overview.runs.value?.findLast(({ id }) => id > run.id);
  const events =
    overview.extras.value?.events.filter(({ at }) =>
      Date.parse(at) >= Date.parse(run.started_at) && (!next || Date.parse(at) < Date.parse(next.started_at))
    ) ?? [];
  if (events.length === 0) return null;
  return (
    <section>
      <h2>Events</h2>
      <ul>
        {events.map(({ at, verdict, reasons }) => (
          <li>
            {instant(at)} <Chip kind={verdict}>{verdict}</Chip>{" "}
            <Text of={reasons?.map(({ message }) => message).join("; ") ?? ""} />
          </li>
        ))}
      </ul>
    </section>
  );
}
