create type public.address as (street text, number integer, "Zip Code" character varying(10));
create table public.person (name text, home public.address, past public.address[]);
insert into public.person values ('Ann', ('High "St"', 1, '10'), array[('a,b', null, '')::public.address]);
