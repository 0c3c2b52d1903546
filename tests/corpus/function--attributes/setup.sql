create function public.f1(a integer) returns integer language sql immutable strict leakproof parallel safe cost 7 as $$ select a $$;
create function public.f2(a integer) returns setof integer language sql stable rows 12 parallel restricted as $$ select a $$;
create function public.f3() returns integer language sql security definer set search_path = '' as $$ select 1 $$;
create function public.f4(a integer) returns integer language internal window as 'window_rank';
create function public.f5() returns integer language plpgsql cost 1000 as $$ begin return 1; end $$;
create function public.f6(internal) returns internal language internal support array_unnest_support as 'array_unnest_support';
