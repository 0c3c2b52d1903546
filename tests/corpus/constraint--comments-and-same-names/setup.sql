create table public.a (i integer constraint k primary key, constraint c check (i > 0));
create table public.b (i integer constraint c check (i > 0), constraint f foreign key (i) references public.a);
create table public."C c" (i integer, constraint "same
name" check (i > 0), constraint f foreign key (i) references public.a, constraint u unique (i));
comment on constraint c on public.a is 'a'; comment on constraint c on public.b is 'b'; comment on constraint f on public.b is 'f';
comment on constraint "same
name" on public."C c" is 'x'; comment on constraint u on public."C c" is 'u'; comment on index public.u is 'index of u';
comment on constraint k on public.a is 'k'; comment on index public.k is 'index of k';
