create schema extensions;
create extension hstore with schema extensions;
create table public.prop (tags extensions.hstore, other extensions.hstore[]);
insert into public.prop values ('a=>1, "b c"=>NULL', array['x=>y'::extensions.hstore]);
