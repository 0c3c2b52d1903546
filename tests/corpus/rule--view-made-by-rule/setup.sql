-- until version: 15
create table public.was_table (a integer, b text);
create rule "_RETURN" as on select to public.was_table do instead select 1 as a, 'x'::text as b;
