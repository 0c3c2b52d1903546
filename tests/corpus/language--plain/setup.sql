-- not restored: a language whose handler is not dumped is looked for among the extensions
create language plother handler plpgsql_call_handler inline plpgsql_inline_handler validator plpgsql_validator;
create trusted language "PL ""x""" handler plpgsql_call_handler;
comment on language plother is 'like plpgsql';
alter language plother owner to director;
grant usage on language "PL ""x""" to actor;
revoke usage on language "PL ""x""" from public;
create function public.f() returns integer language plother as $$ begin return 1; end $$;
