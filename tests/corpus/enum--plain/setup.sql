create type public.genre as enum ('tragedy', 'comedy', 'opera');
create table public.play (title text, genre public.genre default 'opera');
insert into public.play values ('Faust', 'tragedy'), ('Tosca', default);
