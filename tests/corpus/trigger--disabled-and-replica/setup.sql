create function public.touched() returns trigger language plpgsql as $$ begin return new; end $$;
create table public."T ""x""" (a integer);
create trigger a before insert on public."T ""x""" for each row execute function public.touched();
create trigger b before insert on public."T ""x""" for each row execute function public.touched();
create trigger c before insert on public."T ""x""" for each row execute function public.touched();
create trigger d before insert on public."T ""x""" for each row execute function public.touched();
alter table public."T ""x""" disable trigger a;
alter table public."T ""x""" enable replica trigger b;
alter table public."T ""x""" enable always trigger c;
