create function public.touched() returns trigger language plpgsql as $$ begin return new; end $$;
create table public.t (a integer, b text);
create trigger a_before before insert or update on public.t for each row execute function public.touched();
create trigger of_column after update of a, b on public.t for each row when (old.a is distinct from new.a) execute function public.touched('arg', 'it''s', E'back\\slash', '');
create trigger statement after truncate on public.t execute function public.touched();
create trigger transition after update on public.t referencing old table as old_rows new table as "New Rows" for each statement execute function public.touched();
create trigger "Trigger ""x""" before delete on public.t for each row execute function public.touched();
comment on trigger "Trigger ""x""" on public.t is 'hurts';
