do $$ begin
    execute E'create function public.f() returns integer language plpgsql as E\'begin\\r\\n return 1;\\r\\nend\'';
end $$;
