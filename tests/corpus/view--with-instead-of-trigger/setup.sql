create table public.t (a integer);
create view public.v as select a from public.t;
create function public.redirected() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger redirect instead of insert or update on public.v for each row execute function public.redirected();
