-- from version: 15
-- A database of all kinds at once: also what restore_options_test.ts filters.
create schema theatre authorization director;
comment on schema theatre is 'the company';
create schema "Archive Room";
create extension hstore with schema theatre;
create type theatre.genre as enum ('drama', 'comedy');
create domain theatre.title as text check (value <> '');
create type theatre.seat as (line text, number integer);
create type theatre.span as range (subtype = time);
create function theatre.is_good(theatre.title) returns boolean language sql immutable return true;
create function theatre.touch() returns trigger language plpgsql set search_path = '' as $$ begin return new; end $$;
create procedure theatre.close(integer, in reason text default 'none') language sql as $$ select 1 $$;
create aggregate theatre.total(integer) (sfunc = int4pl, stype = integer, initcond = '0');
create operator theatre.=== (leftarg = integer, rightarg = integer, function = int4eq);
create operator class theatre.int_ops for type integer using btree as operator 3 =, function 1 btint4cmp(integer, integer);
create cast (theatre.genre as text) with inout as assignment;
create collation theatre.plain (locale = 'C');
create text search configuration theatre.words (parser = default);
create sequence theatre.tickets start 100;
create table theatre.play (
    id integer generated always as identity primary key, title theatre.title not null unique, genre theatre.genre default 'drama',
    tags theatre.hstore, seats theatre.seat[], words tsvector generated always as (to_tsvector('english', title)) stored
);
create table theatre.show (
    id bigint default nextval('theatre.tickets'), play integer not null references theatre.play on delete cascade,
    at timestamptz not null, price numeric(8, 2) check (price >= 0), primary key (id, at)
) partition by range (at);
create table theatre.show_2023 partition of theatre.show for values from ('2023-01-01 00:00+00') to ('2024-01-01 00:00+00');
create table "Archive Room"."Show 2024" partition of theatre.show for values from ('2024-01-01 00:00+00') to ('2025-01-01 00:00+00');
create table theatre.person (name text collate theatre.plain primary key, boss text references theatre.person);
create table theatre.actor (role text) inherits (theatre.person);
create unlogged table public.visit (at timestamptz, page text);
create index show_play on theatre.show (play);
create index play_words on theatre.play using gin (words);
create unique index "Actor's name" on theatre.actor (lower(name)) where role is not null;
create statistics theatre.play_statistics on title, genre from theatre.play;
create view theatre.upcoming with (security_invoker) as select p.title, s.at from theatre.show s join theatre.play p on p.id = s.play;
create view theatre.by_play as select p.id, p.title, count(*) from theatre.play p join theatre.show s on s.play = p.id group by p.id;
create materialized view theatre.counts as select * from theatre.by_play;
create unique index counts_id on theatre.counts (id);
create rule protect as on delete to theatre.person do instead nothing;
create trigger touch before update on theatre.play for each row execute function theatre.touch();
create trigger touch after insert on theatre.show for each row execute function theatre.touch();
alter table theatre.play enable row level security;
create policy reads on theatre.play for select to actor using (theatre.is_good(title));
create policy writes on theatre.play to director using (true) with check (genre = 'drama');
create foreign data wrapper nowhere;
create server elsewhere foreign data wrapper nowhere options (host 'h');
create user mapping for actor server elsewhere options (password 'p');
create foreign table theatre.guests (name text) server elsewhere;
create function public.on_ddl() returns event_trigger language plpgsql as $$ begin end $$;
create event trigger on_ddl on ddl_command_end execute function public.on_ddl();
alter event trigger on_ddl disable;
create publication shows for table theatre.show, theatre.play;
alter default privileges in schema theatre grant select on tables to actor;
select lo_from_bytea(4711, 'applause');
comment on table theatre.play is 'what is played';
comment on column theatre.play.title is 'as printed';
comment on index theatre.play_words is 'for the search';
comment on function theatre.touch() is 'touches';
comment on trigger touch on theatre.play is 'before';
comment on policy reads on theatre.play is 'for actors';
comment on large object 4711 is 'a sound';
comment on publication shows is 'for the app';
grant usage on schema theatre to actor;
grant select on theatre.play to actor;
grant update (title) on theatre.play to actor;
grant execute on function theatre.is_good(theatre.title) to actor;
grant select on large object 4711 to actor;
alter table theatre.play owner to director;
alter function theatre.touch() owner to director;
insert into theatre.play (title, genre, tags, seats) values ('Faust', 'drama', 'a=>1', array[('A', 1)::theatre.seat]), ('Krug', 'comedy', null, null);
insert into theatre.show (play, at, price) select 1 + i % 2, '2023-06-01 20:00+00'::timestamptz + i * interval '1 day', i from generate_series(1, 500) i;
insert into theatre.person values ('Ann', null), ('Bob', 'Ann');
insert into theatre.actor values ('Cleo', 'Ann', 'Gretchen');
insert into public.visit values ('2024-01-01 00:00+00', E'\\N\t\\.');
refresh materialized view theatre.counts;
