-- from version: 17
-- says: CREATE COLLATION public.ours (provider = builtin, locale = 'C.UTF-8');
create collation public.ours (provider = builtin, locale = 'C.UTF-8');
create table public.t (a text collate public.ours);
