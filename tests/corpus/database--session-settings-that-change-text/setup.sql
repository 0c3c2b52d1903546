do $$ begin
    execute format('alter database %I set default_table_access_method = heap', current_database());
    execute format('alter database %I set default_tablespace = archive_room', current_database());
    execute format('alter database %I set default_toast_compression = pglz', current_database());
    execute format('alter database %I set xmloption = document', current_database());
    execute format('alter database %I set client_encoding = latin1', current_database());
    execute format('alter database %I set lock_timeout = 1', current_database());
    execute format('alter database %I set default_transaction_read_only = on', current_database());
    execute format('alter database %I set default_transaction_deferrable = on', current_database());
    execute format('alter database %I set idle_in_transaction_session_timeout = 1', current_database());
    execute format('alter database %I set synchronize_seqscans = on', current_database());
    execute format('alter database %I set escape_string_warning = on', current_database());
    execute format('alter database %I set backslash_quote = off', current_database());
    execute format('alter database %I set enable_seqscan = off', current_database());
    execute format('alter database %I set role = director', current_database());
end $$;
create table public.t (a xml, b text, c float4 default 0.1); insert into public.t values ('<a/>', 'ü', 1.1);
alter table public.t owner to director; alter schema public owner to director;
