create type public.address as (street text);
alter type public.address owner to director;
revoke usage on type public.address from public;
