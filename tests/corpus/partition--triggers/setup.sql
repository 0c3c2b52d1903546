create function public.touched() returns trigger language plpgsql as $$ begin return new; end $$;
create table public.show (a integer) partition by list (a);
create table public.show_1 partition of public.show for values in (1);
create table public.show_2 partition of public.show for values in (2);
create trigger touch after insert on public.show for each row execute function public.touched();
create trigger off after insert on public.show for each row execute function public.touched();
alter table public.show_1 disable trigger touch;
alter table only public.show disable trigger off;
create trigger own before insert on public.show_2 for each row execute function public.touched();
