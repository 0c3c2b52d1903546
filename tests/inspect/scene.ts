/** A project with two backups and a state of now whose differences are known. */
import { type Project, type Run, startProject } from "../e2e/project.ts";

/** Markup, quotes, a line break, a change of direction, an escape sequence. */
export const HOSTILE = `<img src=x onerror=alert(1)> "q" 'q' &amp;\n\u202etxt\x1b[31m`;

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

const FIRST = `
  create schema shop;
  create table shop.orders (id int primary key, customer text, total numeric(8, 2));
  insert into shop.orders select g, 'customer ' || g, g * 1.5 from generate_series(1, 40) g;
  create table shop.items (order_id int, place int, what text not null, primary key (order_id, place));
  insert into shop.items select o, p, 'item ' || o || '.' || p from generate_series(1, 20) o, generate_series(1, 2) p;
  create table shop.visits (at date, page text);
  insert into shop.visits select '2026-01-01'::date + g, '/' from generate_series(0, 9) g;
  create table shop.unchanged (id int primary key, text text);
  insert into shop.unchanged select g, 'same' from generate_series(1, 5) g;
  create view shop.large_orders as select id from shop.orders where total > 30;
  create function shop.double(n int) returns int language sql immutable as 'select n * 2';
  -- Cut over several slices and parts.
  create table shop.big (id int primary key, text text);
  insert into shop.big select g, (select string_agg(md5((g * 40 + n)::text), '') from generate_series(1, 30) n)
  from generate_series(1, 3000) g;
  create table shop.${quoted(HOSTILE)} (${quoted(HOSTILE)} text primary key, b text);
  insert into shop.${quoted(HOSTILE)} values ('k', E'<b>bold</b>\\n\\u202e\\x1b[31m');
`;

const SECOND = `
  update shop.orders set total = 99 where id in (3, 4);
  delete from shop.orders where id > 38;
  insert into shop.orders values (50, 'new', 1);
  delete from shop.items where order_id = 20;
  insert into shop.visits values ('2026-01-01', '/'), ('2027-01-01', '/new');
  create table shop.added (id int);
  insert into shop.added values (1);
  drop view shop.large_orders;
  create or replace function shop.double(n int) returns int language sql immutable as 'select n + n';
`;

/** After the second backup. */
const NOW = `
  update shop.orders set customer = 'somebody else' where id = 1;
  update shop.big set text = 'short' where id = 2999;
`;

/** Settings that cut a small database into many slices and parts. */
const SMALL_PARTS = { slice_bytes: 500_000, part_bytes: 170_000, invocation_bytes: 1_000_000 };

export interface Scene {
  project: Project;
  first: Run;
  second: Run;
}

/** Starts the project. It is stopped by whoever asked for it. */
export async function startScene(): Promise<Scene> {
  const project = await startProject({ policy: "oneshot" });
  try {
    const { slice_bytes, part_bytes, invocation_bytes } = SMALL_PARTS;
    await project.sql`select backup.configure(slice_bytes => ${slice_bytes}, part_bytes => ${part_bytes},
      invocation_bytes => ${invocation_bytes})`;
    await project.sql.unsafe(FIRST);
    const first = await succeeded(project);
    await project.sql.unsafe(SECOND);
    const second = await succeeded(project);
    await project.sql.unsafe(NOW);
    return { project, first, second };
  } catch (error) {
    await project[Symbol.asyncDispose]();
    throw error;
  }
}

async function succeeded(project: Project): Promise<Run> {
  const run = await project.backUp();
  if (run.status !== "succeeded") throw new Error(`the run ${run.status}: ${run.error_message}`);
  return run;
}
