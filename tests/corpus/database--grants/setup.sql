do $$ begin
    execute format('grant connect on database %I to actor with grant option', current_database());
    execute format('revoke temporary on database %I from public', current_database());
end $$;
