create type public.genre as enum ('tragedy');
alter type public.genre owner to director;
comment on type public.genre is 'kinds of plays';
revoke usage on type public.genre from public;
grant usage on type public.genre to actor with grant option;
