-- from version: 15
create schema theatre authorization director;
create type theatre.genre as enum ('drama', 'comedy');
create table theatre.play (id bigint generated always as identity primary key, title text not null unique, genre theatre.genre not null default 'drama', created_at timestamptz not null default now());
create table theatre.show (id bigint generated always as identity primary key, play_id bigint not null references theatre.play on delete cascade, at timestamptz not null, seats integer not null check (seats > 0));
create index show_play_id on theatre.show (play_id);
create view theatre.upcoming with (security_invoker = true) as select p.title, s.at from theatre.show s join theatre.play p on p.id = s.play_id where s.at > now();
create function theatre.touch() returns trigger language plpgsql set search_path = '' as $$ begin return new; end $$;
create trigger touch before update on theatre.play for each row execute function theatre.touch();
alter table theatre.play enable row level security;
create policy "anyone reads" on theatre.play for select using (true);
create policy "directors write" on theatre.play to director using (true) with check (true);
grant usage on schema theatre to actor; grant select on all tables in schema theatre to actor; grant insert on theatre.show to actor;
create materialized view theatre.counts as select genre, count(*) from theatre.play group by genre;
create publication realtime for table theatre.show;
insert into theatre.play (title, genre, created_at) values ('Faust', 'drama', '2024-01-01 00:00+00'), ('Der zerbrochne Krug', 'comedy', '2024-01-01 00:00+00');
insert into theatre.show (play_id, at, seats) values (1, '2024-05-01 20:00+00', 300);
