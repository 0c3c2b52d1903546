/**
 * A restore: what is chosen, its plan, the command; and, where the page may, a copy of tables beside the living ones.
 */
import { useState } from "preact/hooks";
import { type Failure, follow, query } from "./api.ts";
import { Chip, Code, Command, Loading, Problem, Text, Title } from "./parts.tsx";
import { TableChoice } from "./table_choice.tsx";
import type { Overview } from "./types.ts";
import { number, shellWord } from "./words.ts";

export function RestoreView({ backup, table, overview }: {
  backup: string | undefined;
  table: string | undefined;
  overview: Overview;
}) {
  const names = overview.backups.value?.filter(({ damage }) => damage === null).map(({ name }) => name) ?? [];
  const [name, setName] = useState(backup ?? names[0] ?? "");
  const [tables, setTables] = useState<string[]>(table ? [table] : []);
  const [schema, setSchema] = useState(table ? "restored" : "");
  const command = [
    "supabase-backup",
    "restore",
    "--backup",
    name,
    ...tables.flatMap((one) => ["--table", one]),
    ...(schema === "" || tables.length === 0 ? [] : ["--into-schema", schema]),
  ].map(shellWord).join(" ");
  const target = " --target-db-url postgresql://postgres@HOST:5432/postgres";
  return (
    <>
      <Title note="Choose what to restore, look at the plan, and take the command.">Restore</Title>
      {names.length === 0 ? <p>There is no backup that could be restored.</p> : (
        <>
          <div class="fields">
            <label>
              Backup
              <select value={name} onChange={(event) => (setName(event.currentTarget.value), setTables([]))}>
                {names.map((one) => <option value={one}>{one}</option>)}
              </select>
            </label>
            <label>
              New schema, for copies beside the living tables
              <input
                placeholder="restore in place"
                value={schema}
                disabled={tables.length === 0}
                onInput={(event) => setSchema(event.currentTarget.value)}
              />
            </label>
          </div>
          <TableChoice key={name} backup={name} chosen={tables} onChange={setTables} />
          <h2>Command</h2>
          <Command of={command + target} />
          {overview.canPlan
            ? <Plan key={command} {...{ name, tables }} />
            : <p class="hint">Start the page with --target-db-url to see the plan for a target.</p>}
          {overview.allowActions && overview.canPlan && tables.length > 0 && schema !== "" && (
            <Beside key={`beside ${command}`} {...{ name, tables, schema }} />
          )}
        </>
      )}
    </>
  );
}

/** What `restore --json` prints, as far as it is shown. */
interface Outcome {
  target?: string;
  entries?: number;
  findings?: { code: string; reason: string }[];
  left_out?: unknown[];
  notes?: string[];
  to_do?: { what: string; sql: string }[];
  tables?: { name: string; copy: string; rows: number; to_do: { what: string; sql: string }[] }[];
}

function useCommand(path: string, body?: unknown) {
  const [state, setState] = useState<{
    lines: string[];
    outcome: Outcome | null;
    code: number | null;
    isRunning: boolean;
    failure: Failure | null;
  }>({ lines: [], outcome: null, code: null, isRunning: false, failure: null });
  const start = async () => {
    setState({ lines: [], outcome: null, code: null, isRunning: true, failure: null });
    try {
      await follow(
        path,
        (message) =>
          setState((before) =>
            "said" in message
              ? { ...before, lines: [...before.lines, String(message.said)] }
              : { ...before, outcome: message.result as Outcome, code: message.code as number }
          ),
        body === undefined ? {} : { body },
      );
      setState((before) => ({ ...before, isRunning: false }));
    } catch (failure) {
      setState((before) => ({ ...before, isRunning: false, failure: failure as Failure }));
    }
  };
  return { ...state, start };
}

function Plan({ name, tables }: { name: string; tables: string[] }) {
  const { lines, outcome, code, isRunning, failure, start } = useCommand(
    query("plan", { backup: name, table: tables }),
  );
  return (
    <section>
      <h2>Plan</h2>
      <p class="hint">The plan changes nothing. It fetches and checks the whole backup first.</p>
      <button type="button" onClick={start} disabled={isRunning}>Show the plan</button>
      <Said {...{ lines, isRunning, failure, code }} />
      {outcome && (
        <>
          <p>{outcome.entries !== undefined && `${number(outcome.entries)} entries would be restored.`}</p>
          {outcome.findings && outcome.findings.length > 0 && (
            <>
              <h3>What speaks against the target</h3>
              <ul>
                {outcome.findings.map(({ reason }) => (
                  <li>
                    <Text of={reason} />
                  </li>
                ))}
              </ul>
            </>
          )}
          {outcome.notes && outcome.notes.length > 0 && (
            <>
              <h3>Notes</h3>
              <ul>
                {outcome.notes.map((note) => (
                  <li>
                    <Text of={note} />
                  </li>
                ))}
              </ul>
            </>
          )}
          {outcome.left_out && outcome.left_out.length > 0 && (
            <details>
              <summary>{number(outcome.left_out.length)} entries are left out</summary>
              <Code of={JSON.stringify(outcome.left_out, null, 2)} label="Left out" />
            </details>
          )}
          <ToDo of={outcome.to_do ?? []} />
        </>
      )}
    </section>
  );
}

function Beside({ name, tables, schema }: { name: string; tables: string[]; schema: string }) {
  const body = { backup: name, tables, schema };
  const { lines, outcome, code, isRunning, failure, start } = useCommand("restore", body);
  return (
    <section>
      <h2>Restore beside</h2>
      <p class="hint">
        Copies the chosen tables into the new schema{" "}
        <b>
          <Text of={schema} />
        </b>. The living tables are not touched.
      </p>
      <button type="button" class="main" onClick={start} disabled={isRunning}>Restore beside</button>
      <Said {...{ lines, isRunning, failure, code }} />
      {outcome?.tables?.map(({ copy, rows, to_do }) => (
        <>
          <p>
            <Chip kind="succeeded">restored</Chip>{" "}
            <b>
              <Text of={copy} />
            </b>: {number(rows)} rows
          </p>
          <ToDo of={to_do} />
        </>
      ))}
    </section>
  );
}

function Said({ lines, isRunning, failure, code }: {
  lines: string[];
  isRunning: boolean;
  failure: Failure | null;
  code: number | null;
}) {
  const hasFailed = code !== null && code !== 0;
  return (
    <>
      {isRunning && <Loading what="Working" />}
      {failure && <Problem of={failure} />}
      {lines.length > 0 && (
        <pre
          class={hasFailed ? "code failed" : "code"}
          tabIndex={0}
          role="log"
          aria-label="Progress"
        >{lines.slice(-30).join("\n")}</pre>
      )}
      {hasFailed && (
        <p>
          <Chip kind="failed">exit code {code}</Chip>
        </p>
      )}
    </>
  );
}

function ToDo({ of }: { of: { what: string; sql: string }[] }) {
  if (of.length === 0) return null;
  return (
    <ul class="to-do">
      {of.map(({ what, sql }) => (
        <li>
          To <Text of={what} />: <Code of={sql} label={what} />
        </li>
      ))}
    </ul>
  );
}
