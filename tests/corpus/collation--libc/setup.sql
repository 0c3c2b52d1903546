create schema other;
create collation public.simple (locale = 'C');
create collation other.apart (lc_collate = 'C', lc_ctype = 'POSIX');
create collation public."Copy ""x""" from "C";
comment on collation public.simple is 'simple';
alter collation public.simple owner to director;
create table public.t (a text collate public.simple, b text collate other.apart);
create index on public.t (a collate "C");
