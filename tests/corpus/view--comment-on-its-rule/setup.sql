create table public.t (a integer);
create view public.v as select a from public.t;
comment on rule "_RETURN" on public.v is 'the rule itself';
