-- not restored: the extension was given a table that its script does not make
create extension hstore;
create table public.venue (id integer primary key, name text);
create index venue_name on public.venue (name);
alter extension hstore add table public.venue;
grant select on public.venue to actor;
comment on table public.venue is 'a member''s comment is its extension''s';
