create function public.f() returns integer language sql
    set search_path = public, "Upper Case", pg_temp
    set datestyle = 'iso, dmy'
    set work_mem = '8MB'
    set custom.word = 'it''s "so" \ '
    set time zone 'Europe/Berlin'
    set extra_float_digits = 0
    as $$ select 1 $$;
create function public.g() returns integer language sql set search_path = '' as $$ select 1 $$;
create function public.h() returns integer language sql set search_path from current as $$ select 1 $$;
