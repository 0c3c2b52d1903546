create function public.z(integer) returns integer language sql immutable return 1;
create function public.a(integer) returns integer language sql immutable return public.z(1);
create view public.v as select public.a(1);
create function public.b() returns setof public.v language sql begin atomic select * from public.v; end;
