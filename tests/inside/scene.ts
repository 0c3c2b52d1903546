/** A project whose backups are looked into, restored beside and drilled from SQL. */
import { type Project, startProject, until } from "../e2e/project.ts";
import type { StackOptions } from "../../stack/stack.ts";

export interface Restore {
  id: number;
  kind: string;
  into_schema: string;
  status: string;
  rows: number;
  raw_bytes: number;
  failures: number;
  exceptions: { entry: string; why: string }[];
  see_differences: string | null;
  insert_missing: string | null;
  update_changed: string | null;
  create_again: string | null;
  error_code: string | null;
  error_message: string | null;
  error_hint: string | null;
  finished_at: string | null;
}

export interface Drill {
  name: string;
  target: string;
  passed: number;
  failed: number;
  skipped: number;
  unchecked: number;
  checks: { what: string; outcome: string; detail: string }[];
}

export interface Scene extends Project {
  restore(id: number): Promise<Restore>;
  /** Waits until a restore has ended; wakes the watch-dog more often than pg_cron would. */
  restored(id: number): Promise<Restore>;
  /** Asks by a statement that returns the number of a restore, and waits for its end. */
  ask(statement: string): Promise<Restore>;
  /** Asks until there is an answer. */
  peek(statement: string): Promise<{ status: string; record: Record<string, string | null> | null }[]>;
  /** Drills; returns the restore, and the drill that it recorded. */
  drill(statement?: string): Promise<{ restore: Restore; drill: Drill | undefined }>;
}

export async function startScene(options: StackOptions = {}): Promise<Scene> {
  const project = await startProject(options);
  const { sql } = project;
  await sql`select backup.configure(second_copy => 'none')`;
  const watched = <T>(what: string, look: () => Promise<T | null>) => {
    let last = Date.now();
    return until(what, async () => {
      if (Date.now() - last > 2000) {
        last = Date.now();
        await sql`select backup.watch()`;
      }
      return await look();
    }).catch(async (error) => {
      const rows = JSON.stringify(
        await sql`select to_jsonb(r) from backup.restores r order by id desc limit 1`,
      );
      throw new Error(`${error.message}\n${rows}\n${project.logged.slice(-15).join("\n")}`);
    });
  };
  const scene: Scene = Object.assign(project, {
    async restore(id: number) {
      const [row] = await sql<{ restore: Restore }[]>`
        select to_jsonb(r) as restore from backup.restores r where id = ${id}`;
      return row!.restore;
    },
    restored: (id: number) =>
      watched(`restore ${id} has ended`, async () => {
        const now = await scene.restore(id);
        return now.finished_at === null ? null : now;
      }),
    async ask(statement: string) {
      const [row] = await sql.unsafe<{ id: number }[]>(`select (${statement})::int as id`);
      return await scene.restored(row!.id);
    },
    peek: (statement: string) =>
      watched("there is an answer", async () => {
        const rows = await sql.unsafe<Awaited<ReturnType<Scene["peek"]>>>(`select * from ${statement}`);
        return /^asked at /.test(rows[0]?.status ?? "") ? null : [...rows];
      }),
    async drill(statement = "backup.drill()") {
      const restore = await scene.ask(statement);
      const [row] = await sql<{ drill: Drill }[]>`
        select to_jsonb(d) as drill from backup.drills d order by id desc limit 1`;
      return { restore, drill: row?.drill };
    },
  });
  return scene;
}

/** Tables with what a copy leaves behind: types, defaults, checks, generated columns, keys, policies, triggers. */
export const SHOP = `
  create type public.state as enum ('open', 'paid');
  create domain public.amount as numeric(10, 2) check (value >= 0);
  create table public.customers (id int generated always as identity primary key, email text not null unique);
  create table public.orders (
    id bigint primary key, customer_id int not null references public.customers, state public.state not null default 'open',
    total public.amount not null, note varchar(40), tax numeric generated always as (total * 0.2) stored, tags text[],
    at timestamptz not null default now(), check (total < 1000000)
  );
  create index orders_state on public.orders (state);
  alter table public.orders enable row level security;
  create policy own on public.orders for select to authenticated using (true);
  create function public.touch() returns trigger language plpgsql as 'begin return new; end';
  create trigger touch before update on public.orders for each row execute function public.touch();
  create table public.lines (order_id bigint references public.orders, line int, what text, primary key (order_id, line));
  insert into public.customers (email) select 'c' || g || '@example.org' from generate_series(1, 20) g;
  insert into public.orders (id, customer_id, state, total, note, tags)
    select g, g % 20 + 1, case when g % 2 = 0 then 'paid' else 'open' end::public.state, g, 'tab' || chr(9) || 'and \\N ' || g, '{a,"b c"}'
    from generate_series(1, 500) g;
  insert into public.lines select g, l, 'line ' || l from generate_series(1, 500) g, generate_series(1, 3) l;
  create table public.sales_2025 (id int);
  create view public.sales as select id from public.orders;
  create table public.events (id int, day date, primary key (id, day)) partition by range (day);
  create table public.events_2025 partition of public.events for values from ('2025-01-01') to ('2026-01-01');
  create table public.events_2026 partition of public.events for values from ('2026-01-01') to ('2027-01-01');
  insert into public.events select g, '2025-12-01'::date + g from generate_series(1, 60) g;
`;
