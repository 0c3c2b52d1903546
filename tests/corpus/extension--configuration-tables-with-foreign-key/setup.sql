-- not restored: the extension was given tables that its script does not make
create extension hstore;
create table public.a_role (id integer primary key references public.a_role, play integer);
create table public.play (id integer primary key);
alter table public.a_role add foreign key (play) references public.play;
insert into public.play values (1);
insert into public.a_role values (1, 1);
alter extension hstore add table public.a_role;
alter extension hstore add table public.play;
update pg_extension set extconfig = array['public.a_role'::regclass::oid, 'public.play'::regclass::oid],
    extcondition = array['', ''] where extname = 'hstore';
