create sequence public.a minvalue -9223372036854775808 start -9223372036854775808;
create sequence public.b increment by -5 minvalue -100 maxvalue -1 start -7 cycle cache 20;
create sequence public.c as smallint; create sequence public.d as integer increment -1;
create sequence public.e start 9223372036854775807; select setval('public.e', 9223372036854775807);
create sequence public."\! echo hurt" maxvalue 9223372036854775806; select nextval('public."\! echo hurt"');
select setval('public.c', 5, false);
create schema other; create table other.t (a integer); create sequence public.o owned by none;
alter sequence public.a as bigint no minvalue restart with 7;
