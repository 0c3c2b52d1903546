do $$ begin
    execute 'create table public.t (' || (select string_agg(format('"Column %s" integer', i), ', ') from generate_series(1, 1000) i) || ')';
end $$;
insert into public.t default values;
