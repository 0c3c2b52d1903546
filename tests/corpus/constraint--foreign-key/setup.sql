-- from version: 15
create table public.play (id integer primary key, title text unique, a integer, b integer, unique (a, b));
create table public.show (
    id integer primary key, play integer references public.play on delete cascade on update set null,
    title text references public.play (title) deferrable initially deferred,
    a integer default 1, b integer, foreign key (a, b) references public.play (a, b) match full on delete set default,
    again integer references public.show
);
alter table public.show add constraint later foreign key (id) references public.play not valid;
alter table public.show add constraint "FK ""x""" foreign key (a, b) references public.play (a, b) on delete set null (b) deferrable;
comment on constraint "FK ""x""" on public.show is 'hurts';
insert into public.play values (1, 'Faust', 1, 1);
insert into public.show values (1, 1, 'Faust', 1, 1, 1);
