-- from version: 15
create sequence public.s;
create sequence public.t as smallint increment 5 minvalue -10 maxvalue 100 start 20 cache 7 cycle;
create sequence public.down increment -1;
create sequence public.big as integer start 5 no cycle;
create sequence public."Seq ""x"" 'y'" owned by none;
select nextval('public.s'), nextval('public.t'), nextval('public.t');
select setval('public."Seq ""x"" ''y''"', 9007199254740993);
comment on sequence public.s is 'counts';
alter sequence public.s owner to director;
grant usage on sequence public.s to actor;
grant select, update on sequence public.t to actor with grant option;
create unlogged sequence public.unlogged_one;
