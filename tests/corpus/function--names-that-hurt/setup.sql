create function public."\! echo hurt"("from" integer, "b c" text default '\') returns integer language sql as $$ select 1 $$;
create function public."a(b"("x,y" integer) returns integer language sql as $$ select 1 $$;
create function public."100%s %n $1"() returns integer language sql as $$ select 1 $$;
create function public."new
line"(integer) returns integer language sql as $$ select 1 $$;
create function public.""" "("\! echo hurt" integer) returns integer language sql as $$ select 1 $$;
comment on function public."new
line"(integer) is 'x';
grant execute on function public."a(b"(integer) to "odd=name/with,{braces} 100%s";
create aggregate public."agg
\! x"(integer) (sfunc = int4larger, stype = integer);
