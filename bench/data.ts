/** Generated data like a small project's: wide JSON events and posts of words. Deterministic. */
import postgres from "postgres";

/** Of a language: a few words make up most of a text (Zipf's law), most words are rare. */
const VOCABULARY = 4000;

/** More than fit deflate's window, so that one said twice costs as much as one said once. */
const PARAGRAPHS = 8000;

/** About what one row of each table has in COPY text. */
const EVENT_BYTES = 302;
const POST_BYTES = 1092;

/** Fills an empty database with about `megabytes` (10^6) of COPY text, two thirds of it events. */
export async function generateData(url: string, megabytes: number): Promise<void> {
  const events = Math.round(megabytes * 1e6 * 2 / 3 / EVENT_BYTES);
  const posts = Math.round(megabytes * 1e6 / 3 / POST_BYTES);
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await sql.unsafe(`
      select setseed(0.42);
      create table public.vocabulary as
      select rank, (
        select string_agg(syllable, '') from (
          select (string_to_array('la,mi,ro,ne,ta,so,ver,chan,qui,pel,dre,on,ou,bri,tion,es,mar,lu,fe,ga', ','))[
            1 + (('x' || substr(md5(rank || ':' || part), 1, 6))::bit(24)::int % 20)] as syllable
          from generate_series(1, 1 + rank % 4) part
        ) as parts
      ) as word
      from generate_series(0, ${VOCABULARY - 1}) rank;
      create table public.paragraphs (id int primary key, text text not null);
      insert into public.paragraphs
      select g, (
        -- A word of the inner query's own row, or the aggregate would be the outer one's.
        select string_agg(words[1 + (floor(pow(${VOCABULARY}, random()))::int + n * 0) % ${VOCABULARY}], ' ')
        from generate_series(1, 35) n
        where g is not null
      )
      from generate_series(0, ${PARAGRAPHS - 1}) g,
        (select array_agg(word order by rank) as words from public.vocabulary) v;
      create table public.events (
        id bigint generated always as identity primary key,
        user_id uuid not null,
        kind text not null,
        payload jsonb not null,
        happened_at timestamptz not null
      );
      insert into public.events (user_id, kind, payload, happened_at)
      select md5((g % 5000)::text)::uuid,
        (array['page_view', 'click', 'purchase', 'login'])[1 + g % 4],
        jsonb_build_object(
          'path', '/shows/' || g % 700, 'duration_ms', floor(random() * 100000), 'ratio', random(),
          'session', md5(g::text), 'agent', 'Mozilla/5.0 (X11; Linux x86_64) browser/' || g % 40,
          'tags', jsonb_build_array('tag' || g % 13, 'tag' || g % 17), 'referrer', case when g % 3 = 0 then 'https://example.org/' || g end
        ),
        timestamptz '2025-01-01' + g * interval '7 seconds'
      from generate_series(1, ${events}) g;
      create table public.posts (
        id bigint generated always as identity primary key,
        title text not null,
        body text not null,
        tags text[],
        published_at timestamptz
      );
      insert into public.posts (title, body, tags, published_at)
      select left(a.text, 40), concat_ws(e'\\n\\n', a.text, b.text, c.text, d.text), array['t' || g % 9, 't' || g % 11],
        timestamptz '2024-01-01' + g * interval '3 minutes'
      from (
        select g, floor(random() * ${PARAGRAPHS})::int as i, floor(random() * ${PARAGRAPHS})::int as j,
          floor(random() * ${PARAGRAPHS})::int as k, floor(random() * ${PARAGRAPHS})::int as l
        from generate_series(1, ${posts}) g
      ) as chosen
      join public.paragraphs a on a.id = i
      join public.paragraphs b on b.id = j
      join public.paragraphs c on c.id = k
      join public.paragraphs d on d.id = l
      order by g;
      create index on public.events (user_id, happened_at);
      analyze;
    `);
  } finally {
    await sql.end();
  }
}
