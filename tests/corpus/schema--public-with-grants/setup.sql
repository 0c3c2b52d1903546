grant create on schema public to actor;
revoke usage on schema public from public;
