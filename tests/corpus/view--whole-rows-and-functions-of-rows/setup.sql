create table public.t (a integer, b text);
create function public.label(public.t) returns text language sql as $$ select $1.b $$;
create view public.v as select t, t.label, public.label(t) as l2, (t).a from public.t;
create view public.w as select (v.t).b, row(t.*)::public.t as rr, row(1, 'x') = row(2, 'y') as r from public.v, public.t;
