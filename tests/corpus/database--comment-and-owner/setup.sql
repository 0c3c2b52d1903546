do $$ begin
    execute format('alter database %I owner to director', current_database());
    execute format('comment on database %I is %L', current_database(), 'the theatre''s');
end $$;
