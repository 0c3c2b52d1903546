-- not restored: a new extension has its comment again, which says nothing of a removed one
create schema "Ext ""x"""; create extension hstore schema "Ext ""x"""; create extension "uuid-ossp" schema "Ext ""x""";
create table public.t (a "Ext ""x""".hstore default ''::"Ext ""x""".hstore, b uuid default "Ext ""x""".uuid_generate_v4());
create index on public.t using gin (a); comment on extension "uuid-ossp" is 'it''s ours'; comment on extension hstore is null;
