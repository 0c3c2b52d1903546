revoke usage on language sql from public;
grant usage on language plpgsql to actor;
revoke usage on language plpgsql from public;
