-- not restored: a default is printed in the time zone of the database, whose settings are not restored
do $$ begin
    execute format('alter database %I set datestyle = %L', current_database(), 'sql, dmy');
    execute format('alter database %I set intervalstyle = %L', current_database(), 'iso_8601');
    execute format('alter database %I set extra_float_digits = -15', current_database());
    execute format('alter database %I set timezone = %L', current_database(), 'Asia/Kathmandu');
    execute format('alter database %I set bytea_output = escape', current_database());
    execute format('alter database %I set search_path = other, public', current_database());
    execute format('alter database %I set statement_timeout = %L', current_database(), '1min');
    execute format('alter database %I set row_security = off', current_database());
    execute format('alter database %I set xmlbinary = hex', current_database());
    execute format('alter database %I set lc_monetary = %L', current_database(), 'C');
    execute format('alter database %I set default_transaction_isolation = %L', current_database(), 'serializable');
    execute format('alter database %I set quote_all_identifiers = off', current_database());
    execute format('alter database %I set standard_conforming_strings = on', current_database());
    execute format('alter database %I set array_nulls = off', current_database());
end $$;
create table public.t (a date, b interval, c double precision, d timestamptz, e bytea, f real, g text default 'back\slash', h timestamptz default '2024-03-04 12:00+00', i date default '2024-03-04', j interval default '1 day 2 hours');
insert into public.t values ('2024-12-31', '1 year 2 days', 0.1::double precision + 0.2, '2024-01-01 00:00+00', '\x0001ff5c27', 0.1);
