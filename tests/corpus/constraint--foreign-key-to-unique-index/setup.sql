create table public.a (i integer);
create unique index a_i on public.a (i);
create table public.b (i integer references public.a (i));
