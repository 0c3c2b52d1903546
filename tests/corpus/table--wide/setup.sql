do $$ begin
    execute 'create table public.wide (' || (select string_agg(format('column_%s integer default %s', i, i), ', ') from generate_series(1, 600) i) || ')';
end $$;
insert into public.wide default values;
