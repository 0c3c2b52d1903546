create collation public."Co ll" (locale = 'C');
create domain public."\! echo hurt" as text collate public."Co ll" default E'it''s \\ \n' not null constraint "Check ""x""" check (value <> E'\\') constraint "b
c" check (length(value) > 0);
comment on constraint "b
c" on domain public."\! echo hurt" is 'x';
create domain public.d as timestamptz(3) default now(); create domain public.v as character varying(5)[] default '{a}'; create domain public.n as numeric(5,2) not null;
create table public.t (a public."\! echo hurt" default 'own', b public.v collate "POSIX");
create domain public.nullable as integer default null;
