/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The page: a head that stays, and the view that the address names. */
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import "uplot/dist/uPlot.min.css";
import "./page.css";
import { ask, type Failure } from "./api.ts";
import { BackupView } from "./backup_view.tsx";
import { BackupsView } from "./backups_view.tsx";
import { DifferenceView } from "./difference_view.tsx";
import { FindView } from "./find_view.tsx";
import { Loading, Problem, Text } from "./parts.tsx";
import { RestoreView } from "./restore_view.tsx";
import { RunView } from "./run_view.tsx";
import { TimelineView } from "./timeline_view.tsx";
import type { Overview } from "./types.ts";

const VIEWS = [["", "Timeline"], ["backups", "Backups"], ["find", "Find"], ["compare", "Compare"], [
  "restore",
  "Restore",
]] as const;

/** The overview is asked for again with every view, often while a run is active, and otherwise now and then. */
const ACTIVE_MS = 2000;
const IDLE_MS = 60_000;

function pathNow(): string[] {
  return location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
}

function App() {
  const [path, setPath] = useState(pathNow);
  const [overview, setOverview] = useState<Overview | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  useEffect(() => {
    const onMove = () => {
      setPath(pathNow());
      scrollTo(0, 0);
    };
    addEventListener("hashchange", onMove);
    return () => removeEventListener("hashchange", onMove);
  }, []);
  useEffect(() => {
    let timer = 0;
    const read = async () => {
      try {
        const found = await ask<Overview>("overview");
        setOverview(found);
        setFailure(null);
        const isActive = found.runs.value?.some(({ finished_at: finished }) => finished === null);
        timer = setTimeout(read, isActive ? ACTIVE_MS : IDLE_MS);
      } catch (error) {
        setFailure(error as Failure);
        timer = setTimeout(read, ACTIVE_MS);
      }
    };
    read();
    return () => clearTimeout(timer);
  }, [path.join("/")]);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), focusMain())}>
        Skip to the content
      </a>
      <header>
        <span class="brand">
          <img src="icon.svg" alt="" width="20" height="20" /> Supabase Backup
        </span>
        <nav aria-label="Views">
          {VIEWS.map(([name, label]) => (
            <a href={`#/${name}`} aria-current={isIn(name, path[0]!) ? "page" : undefined}>{label}</a>
          ))}
        </nav>
        {overview && (
          <span class="project">
            <Text of={overview.url.replace(/^https?:\/\//, "")} />
          </span>
        )}
      </header>
      <main id="main" tabIndex={-1}>
        {failure && <Problem of={failure} />}
        {overview ? <View path={path} overview={overview} /> : !failure && <Loading />}
      </main>
    </>
  );
}

function focusMain(): void {
  document.getElementById("main")!.focus();
}

/** A run belongs to the timeline. */
function isIn(view: string, name: string): boolean {
  return view === (name === "runs" ? "" : name);
}

function View({ path: [view, ...rest], overview }: { path: string[]; overview: Overview }) {
  if (view === "runs") return <RunView key={rest[0]} id={Number(rest[0])} overview={overview} />;
  if (view === "backups" && rest[0]) return <BackupView key={rest[0]} name={rest[0]} object={rest[1]} />;
  if (view === "backups") return <BackupsView overview={overview} />;
  if (view === "find") return <FindView table={rest[0] ?? ""} values={rest.slice(1)} overview={overview} />;
  if (view === "compare") return <DifferenceView before={rest[0]} after={rest[1]} overview={overview} />;
  if (view === "restore") return <RestoreView backup={rest[0]} table={rest[1]} overview={overview} />;
  return <TimelineView overview={overview} />;
}

render(<App />, document.getElementById("page")!);
