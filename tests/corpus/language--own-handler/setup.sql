create schema lang;
create function lang.call_it() returns language_handler language c as '$libdir/plpgsql', 'plpgsql_call_handler';
create function lang.inline_it(internal) returns void language c as '$libdir/plpgsql', 'plpgsql_inline_handler';
create function lang.validate_it(oid) returns void language c as '$libdir/plpgsql', 'plpgsql_validator';
create trusted language plours handler lang.call_it inline lang.inline_it validator lang.validate_it;
create function public.f() returns integer language plours as $$ begin return 1; end $$;
