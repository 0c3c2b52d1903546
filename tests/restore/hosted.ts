/** An archive of what hosted projects hold: queues, secrets, grants on members, an extension that others lack. */
import postgres from "postgres";
import { checksTable } from "../../cli/compare/checks_table.ts";
import { makePlan, type RestoreOptions } from "../../cli/plan/plan_restore.ts";
import { runRestore } from "../../cli/restore/run_restore.ts";
import { type ArchiveFile, openArchive } from "../../cli/source/archive_file.ts";
import type { Target } from "../../cli/target/target.ts";
import { migrationsContent } from "../../stack/migrations.ts";
import { type ProjectDatabase, startProjectDatabase, type Variant } from "../../stack/postgres/project.ts";
import type { Check, Outcome } from "../../supabase/functions/backup/compare/check.ts";
import { compareRestored } from "../../supabase/functions/backup/compare/compare_restored.ts";
import type { Account } from "../../supabase/functions/backup/restore/account.ts";
import type { Plan } from "../../supabase/functions/backup/restore_plan/plan_step.ts";
import { dumpOurs } from "../corpus/ours.ts";

const SCENE = `
  insert into auth.users (id, email) values ('00000000-0000-0000-0000-000000000001', 'a@example.org');
  create table public.members (user_id uuid primary key references auth.users (id), name text not null);
  insert into public.members select id, 'Anna' from auth.users where email = 'a@example.org';
  alter table public.members enable row level security;
  create policy two_roles on public.members for select to authenticated, anon using (true);
  create function public.add_member() returns trigger language plpgsql security definer set search_path = '' as
    $$ begin insert into public.members values (new.id, 'new'); return new; end $$;
  create trigger on_auth_user_created after insert on auth.users for each row execute function public.add_member();
  insert into storage.buckets (id, name) values ('photos', 'photos');
  create policy "members read photos" on storage.objects for select to authenticated using (bucket_id = 'photos');
  create extension citext with schema extensions;
  create table public.diary (id bigserial primary key, text extensions.citext);
  insert into public.diary (text) values ('one'), ('two');
  revoke all on public.diary from anon, authenticated;
  create role accountant nologin;
  grant accountant to postgres;
  create schema books;
  grant usage, create on schema books to accountant;
  create table books.entries (id int primary key, amount numeric);
  insert into books.entries values (1, 12.50);
  alter table books.entries owner to accountant;
  select cron.schedule('nightly', '0 4 * * *', 'select 1');
  select vault.create_secret('hush', 'api_key', 'the key of the API');
  create extension pgmq;
  select pgmq.create('mails');
  select pgmq.send('mails', '{"to": "a"}');
  create extension hstore with schema extensions;
  create table public.pictures (id int primary key, tags extensions.hstore);
  insert into public.pictures values (1, 'a=>1');
  create index on public.pictures using gist (tags);
  create view public.tagged as select id, extensions.akeys(tags) as keys from public.pictures;
`;

/** A name that no other server knows. */
const RENAME = "update pg_extension set extname = 'nowhere_else' where extname = 'hstore'";

export interface HostedSource {
  database: ProjectDatabase;
  archive: ArchiveFile;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a project with the scene in it, and backs it up. */
export async function hostedSource(variant: Variant, sql = ""): Promise<HostedSource> {
  const folder = await Deno.makeTempDir();
  const database = await startProjectDatabase({ variant, content: await migrationsContent() });
  const end = async () => {
    await database.stop();
    await Deno.remove(folder, { recursive: true });
  };
  try {
    await run(database.url, SCENE + sql);
    await run(database.superuserUrl, RENAME);
    await dumpOurs(database.url, `${folder}/hosted.dump`);
    const archive = await openArchive(`${folder}/hosted.dump`);
    return { database, archive, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

export async function run(url: string, statements: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  await sql.unsafe(statements).simple().finally(() => sql.end());
}

export interface Restored {
  plan: Plan;
  account: Account;
  /** What was checked, one line each. */
  of(outcome: Outcome): string[];
  /** As on a terminal. */
  table: string;
}

/** Restores, and compares with the archive. */
export async function restoreInto(
  archive: ArchiveFile,
  target: Target,
  options: RestoreOptions,
): Promise<Restored> {
  const plan = await makePlan(archive, target, options);
  const account = await runRestore(archive, target, plan, options);
  const checks: Check[] = await compareRestored(archive, null, plan, target, {
    wasEmpty: !options.clean,
  });
  return {
    plan,
    account,
    of: (outcome) =>
      checks.filter((check) => check.outcome === outcome).map(({ what, detail }) => `${what}: ${detail}`),
    table: checksTable(checks).join("\n"),
  };
}
