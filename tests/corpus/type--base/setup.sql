create type public.twin;
create function public.twin_in(cstring) returns public.twin language internal immutable strict as 'int4in';
create function public.twin_out(public.twin) returns cstring language internal immutable strict as 'int4out';
create type public.twin (input = public.twin_in, output = public.twin_out, internallength = 4, passedbyvalue, alignment = int4);
create table public.t (a public.twin, b public.twin[]);
insert into public.t values ('1', '{2,3}');
comment on type public.twin is 'a base type';
