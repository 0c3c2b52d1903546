create function public.touched() returns trigger language plpgsql as $$ begin return new; end $$;
create table public.a (i integer primary key);
create table public.t (a integer);
create constraint trigger checked after insert or update on public.t deferrable initially deferred for each row when (new.a > 0) execute function public.touched();
create constraint trigger of_a after insert on public.t from public.a for each row execute function public.touched();
comment on trigger checked on public.t is 'late';
