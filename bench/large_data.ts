/**
 * Generated data like a large project's: wide JSON events, posts of words, documents that live in TOAST, a partitioned
 * table and two hundred small ones. Deterministic. Rows beyond a first batch are variations of it: making words takes
 * longer than copying them, and repetitions so far apart compress no better than new text.
 */
import postgres from "postgres";

/** As text: the library leaves a zero out. */
const NO_TIMEOUT = { statement_timeout: "0" as unknown as number };

/** Of all COPY text; what is left of it goes into the partitioned table. */
const SHARES = { events: 0.45, posts: 0.2, documents: 0.17 };

/** About what one row of each table has in COPY text. */
const ROW_BYTES = { events: 318, posts: 868, documents: 61_000, visits: 97 };

const SMALL_TABLES = 200;
const PARTITIONS = 6;
/** Posts that are made of words, one by one; a document is made of some of them. */
const BATCH = 6000;
const POSTS_OF_A_DOCUMENT = 70;

/** Fills an empty database with about `megabytes` (10^6) of COPY text; the tables belong to the role of `url`. */
export async function generateLargeData(url: string, megabytes: number): Promise<void> {
  const { events, posts, documents } = SHARES;
  const rows = (share: number, rowBytes: number) => Math.ceil(megabytes * 1e6 * share / rowBytes);
  const sql = postgres(url, { max: 1, onnotice: () => {}, connection: NO_TIMEOUT });
  try {
    await sql.unsafe(words());
    await sql.unsafe(eventsSql(rows(events, ROW_BYTES.events)));
    await sql.unsafe(postsSql(rows(posts, ROW_BYTES.posts)));
    await sql.unsafe(documentsSql(rows(documents, ROW_BYTES.documents)));
    await sql.unsafe(visitsSql(rows(1 - events - posts - documents, ROW_BYTES.visits)));
    await sql.unsafe(smallTablesSql());
    await sql.unsafe("drop table public.batch; analyze");
  } finally {
    await sql.end();
  }
}

/** Posts as a language has them: a few words make up most of a text (Zipf's law), most words are rare. */
function words(): string {
  return `
    select setseed(0.42);
    create table public.batch as
    with vocabulary as materialized (
      select rank, (
        select string_agg((string_to_array('la,mi,ro,ne,ta,so,ver,chan,qui,pel,dre,on,ou,bri,tion,es,mar,lu,fe,ga', ','))[
          1 + ('x' || substr(md5(rank || ':' || part), 1, 6))::bit(24)::int % 20], '')
        from generate_series(1, 1 + rank % 4) part
      ) as word
      from generate_series(0, 3999) rank
    ), picks as materialized (
      select g as id, place, floor(pow(4000, random()))::int - 1 as rank
      from generate_series(1, ${BATCH}) g, generate_series(1, 140) place
    )
    select id, string_agg(word, ' ' order by place) as body from picks join vocabulary using (rank) group by id;
    create unique index on public.batch (id)`;
}

function eventsSql(rows: number): string {
  return `
    create table public.events (
      id bigint primary key, user_id uuid not null, kind text not null, payload jsonb not null, happened_at timestamptz not null
    );
    insert into public.events
    select g, md5((g % 5000)::text)::uuid, (array['page_view', 'click', 'purchase', 'login'])[1 + g % 4],
      jsonb_build_object(
        'path', '/shows/' || g % 700, 'duration_ms', hashint8(g) & 65535, 'ratio', (hashint8(g) & 8388607) / 8388608.0,
        'session', md5(g::text), 'agent', 'Mozilla/5.0 (X11; Linux x86_64) browser/' || g % 40,
        'tags', jsonb_build_array('tag' || g % 13, 'tag' || g % 17),
        'referrer', case when g % 3 = 0 then 'https://example.org/' || g end
      ),
      timestamptz '2025-01-01' + g * interval '7 seconds'
    from generate_series(1, ${rows}) g`;
}

function postsSql(rows: number): string {
  return `
    create table public.posts (id bigint primary key, title text not null, body text not null, tags text[], published_at timestamptz);
    insert into public.posts
    select g, left(b.body, 40) || g, substr(b.body, g % 97) || left(b.body, (g % 97)::int), array['t' || g % 9, 't' || g % 11],
      timestamptz '2024-01-01' + g * interval '3 minutes'
    from generate_series(1, ${rows}) g join public.batch b on b.id = 1 + g % ${BATCH}`;
}

/** Every hundredth is thirty times as long as the others: sizes in TOAST are not alike. */
function documentsSql(rows: number): string {
  return `
    create table public.documents (id bigint primary key, name text not null, content text not null);
    insert into public.documents
    select g, 'document ' || g, repeat(pages.text, case when g % 100 = 0 then 30 else 1 end)
    from generate_series(1, ${Math.ceil(rows / 1.3)}) g, lateral (
      select string_agg(b.body, E'\\n') as text from generate_series(1, ${POSTS_OF_A_DOCUMENT}) n
      join public.batch b on b.id = 1 + (g * 31 + n * 7) % ${BATCH}
    ) pages`;
}

function visitsSql(rows: number): string {
  const partitions = Array.from(
    { length: PARTITIONS },
    (_, part) =>
      `create table public.visits_${part} partition of public.visits
      for values from (${Math.floor(rows * part / PARTITIONS)}) to (${
        Math.floor(rows * (part + 1) / PARTITIONS)
      })`,
  );
  return `
    create table public.visits (id bigint primary key, visitor uuid, page int, seconds numeric, at timestamptz) partition by range (id);
    ${partitions.join(";\n")};
    insert into public.visits
    select g, md5(g::text)::uuid, hashint8(g) & 4095, (hashint8(g) & 65535) / 7.0, timestamptz '2025-01-01' + g * interval '3 seconds'
    from generate_series(0, ${rows - 1}) g`;
}

function smallTablesSql(): string {
  return `
    do $$ begin
      for i in 1 .. ${SMALL_TABLES} loop
        execute format(
          'create table public.small_%1$s (id int primary key, label text not null, at timestamptz default now());
           insert into public.small_%1$s (id, label, at)
           select g, ''small '' || md5(g::text), timestamptz ''2025-01-01'' from generate_series(1, %2$s) g',
          lpad(i::text, 3, '0'), i * 3
        );
      end loop;
    end $$`;
}
