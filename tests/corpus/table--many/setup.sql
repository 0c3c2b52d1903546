do $$ begin
    for i in 1..60 loop
        execute format('create table public.t%s (id integer primary key, other integer references public.t1)', i);
        execute format('insert into public.t%s values (%s)', i, i);
    end loop;
end $$;
