create schema other;
create sequence other."Seq";
create table public.t (a bigint default nextval('other."Seq"'::regclass) primary key);
insert into public.t default values;
