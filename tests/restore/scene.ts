/**
 * A project with what is hard to take along: users, policies and triggers on the platform's tables, grants taken away,
 * jobs, secrets.
 */
import type { Sql } from "postgres";
import { openBucket } from "../../cli/project/stored_backups.ts";
import type { Origin } from "../../cli/source/source.ts";
import { type Project, startProject } from "../e2e/project.ts";

const SCENE = `
  -- Auth and what hangs on it.
  insert into auth.users (id, email, encrypted_password, raw_user_meta_data, created_at)
  select ('00000000-0000-0000-0000-00000000000' || g)::uuid, 'user' || g || '@example.org', 'x', '{"a": [1, null]}', now()
  from generate_series(1, 3) g;
  insert into auth.identities (provider_id, user_id, identity_data, provider)
  select id::text, id, jsonb_build_object('email', email), 'email' from auth.users where email like 'user%@example.org';
  create table public.members (
    user_id uuid primary key references auth.users (id), nickname text not null,
    number int generated always as identity unique
  );
  insert into public.members (user_id, nickname)
  select id, E'tab\\there\\nand \\\\ line' from auth.users where email like 'user%@example.org';
  create function public.add_member() returns trigger language plpgsql security definer set search_path = '' as
    $f$ begin insert into public.members (user_id, nickname) values (new.id, 'new'); return new; end $f$;
  create trigger on_auth_user_created after insert on auth.users for each row execute function public.add_member();
  insert into storage.buckets (id, name, public) values ('photos', 'photos', true);
  create policy "members read photos" on storage.objects for select to authenticated using (bucket_id = 'photos');

  create extension citext with schema public;
  insert into storage.objects (bucket_id, name, metadata) values ('photos', 'cat.png', '{"size": 1}');

  -- Grants that new objects would have by themselves, taken away.
  create table public.diary (id bigserial primary key, text text);
  insert into public.diary (text) select 'page ' || g from generate_series(1, 5) g;
  revoke all on public.diary from anon, authenticated;
  create function public.whisper() returns text language sql as $f$ select 'psst' $f$;
  revoke all on function public.whisper() from public, anon;
  alter default privileges in schema public revoke all on tables from anon;
  alter publication supabase_realtime add table public.diary;

  create trigger tell_them after insert on public.diary for each row
    execute function supabase_functions.http_request('https://old.example/hook', 'POST', '{}', '{}', '1000');

  select lo_from_bytea(4001, 'a picture'), lo_create(4002);

  -- A role and a schema of one's own.
  create role accountant nologin;
  grant accountant to postgres;
  create schema books;
  grant usage, create on schema books to accountant;
  create type books.kind as enum ('in', 'out');
  create table books.entries (id int primary key, kind books.kind not null, amount numeric(12, 2), at timestamptz default now());
  insert into books.entries values (1, 'in', 12.50, '2026-11-01 12:00+00'), (2, 'out', -3, '2026-11-02 12:00+00');
  alter table books.entries owner to accountant;
  alter table books.entries enable row level security;
  create policy "accountants only" on books.entries to accountant using (true);
  create table books.days (day date primary key, total numeric) partition by range (day);
  create table books.days_2026 partition of books.days for values from ('2026-01-01') to ('2027-01-01');
  create table books.days_2027 partition of books.days for values from ('2027-01-01') to ('2028-01-01');
  insert into books.days select '2026-12-25'::date + g, g from generate_series(1, 10) g;
  create view public.open_entries with (security_invoker) as select id, amount from books.entries;
  create materialized view books.sums as select kind, sum(amount) from books.entries group by kind;

  select cron.schedule('nightly', '0 4 * * *', 'select 1');
  select cron.alter_job(cron.schedule('retired', '0 5 * * *', 'select 2'), active := false);
  select cron.schedule('5 4 * * *', E'select \\'it''s\\'');
  select vault.create_secret('hush', 'api_key', 'the key of the API');
`;

/** What the platform makes when somebody enables database webhooks. Here the function only counts its calls. */
const WEBHOOKS = `
  create schema supabase_functions;
  create table supabase_functions.hooks (id bigserial primary key, hook_name text);
  create function supabase_functions.http_request() returns trigger language plpgsql security definer set search_path = '' as
    $f$ begin insert into supabase_functions.hooks (hook_name) values (tg_name); return new; end $f$;
  grant usage on schema supabase_functions to postgres;
  grant execute on function supabase_functions.http_request to postgres;
  grant select on supabase_functions.hooks to postgres;
`;

/** Enables database webhooks; by the role that is the platform. */
export async function enableWebhooks(superuser: Sql): Promise<void> {
  await superuser.unsafe(WEBHOOKS).simple();
}

/** With the scene in its database, and one backup in its bucket. */
export async function backedUpProject(sql = ""): Promise<{ project: Project; name: string }> {
  const project = await startProject({ migrate: "directly" });
  try {
    await enableWebhooks(project.superuser);
    await project.sql.unsafe(SCENE + sql).simple();
    const run = await project.backUp();
    if (run.status !== "succeeded") throw new Error(`no backup: ${run.error_message}`);
    return { project, name: run.name };
  } catch (error) {
    await project[Symbol.asyncDispose]();
    throw error;
  }
}

/** The project as a place that backups come from. */
export function originOf({ stack }: Project): Origin {
  const project = { url: stack.apiUrl, secretKey: stack.keys.secretKey };
  return { kind: "project", project, bucket: openBucket(project) };
}
