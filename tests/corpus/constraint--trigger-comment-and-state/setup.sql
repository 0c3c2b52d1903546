create function public.touched() returns trigger language plpgsql as $$ begin return new; end $$;
create table public.t (a integer);
create constraint trigger c after insert on public.t initially deferred for each row execute function public.touched();
comment on trigger c on public.t is 'trigger';
alter table public.t disable trigger c;
