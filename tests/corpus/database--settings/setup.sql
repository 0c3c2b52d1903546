do $$ begin
    execute format('alter database %I set work_mem = %L', current_database(), '8MB');
    execute format('alter database %I set search_path = public, "Upper Case", pg_temp', current_database());
    execute format('alter database %I set custom.word = %L', current_database(), 'it''s \ "so"');
    execute format('alter database %I set DateStyle = %L', current_database(), 'iso, dmy');
    execute format('alter role actor in database %I set statement_timeout = %L', current_database(), '5s');
    execute format('alter role "o''brien ""the"" \voice" in database %I set search_path = %L, public', current_database(), '$user');
end $$;
