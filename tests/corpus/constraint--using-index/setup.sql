create table public.a (i integer not null, j text);
create unique index a_i on public.a (i);
alter table public.a add constraint a_key primary key using index a_i;
create unique index a_j on public.a (j);
alter table public.a add constraint a_j unique using index a_j deferrable;
