create function public.f(a integer, inout b text) language sql as $$ select 'a'::text $$;
alter function public.f owner to director;
comment on function public.f(integer, text) is 'f''s comment';
revoke execute on function public.f from public;
grant execute on function public.f to actor with grant option;
create function public."F ""x"" (y)"("A b" integer) returns integer language sql as $$ select 1 $$;
comment on function public."F ""x"" (y)" is 'hurts';
grant execute on function public."F ""x"" (y)" to "select";
