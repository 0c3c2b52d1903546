-- not restored: the extension was given a table that its script does not make
create extension hstore;
create table public.venue (name text, ours boolean);
create sequence public.venue_seq;
select setval('public.venue_seq', 12);
insert into public.venue values ('made by the extension', false), ('ours', true);
create table public.plain_member (a integer);
insert into public.plain_member values (1);
alter extension hstore add table public.venue;
alter extension hstore add sequence public.venue_seq;
alter extension hstore add table public.plain_member;
update pg_extension set extconfig = array['public.venue'::regclass::oid, 'public.venue_seq'::regclass::oid],
    extcondition = array['WHERE ours', ''] where extname = 'hstore';
