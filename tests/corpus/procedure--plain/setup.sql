create procedure public.p() language sql as $$ select 1 $$;
create procedure public.out_one(in a integer, out b integer, inout c text) language plpgsql as $$ begin b := a; end $$;
create procedure public.of_any(variadic a text[]) language plpgsql security definer set search_path = '' as $$ begin commit; end $$;
alter procedure public.p() owner to director;
comment on procedure public.p() is 'does nothing';
grant execute on procedure public.out_one to actor;
revoke execute on procedure public.p() from public;
create procedure public.atomic(a integer) language sql begin atomic select a; end;
