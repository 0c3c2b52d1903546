-- from version: 16
-- says: CREATE COLLATION public.ours (provider = icu, locale = 'und', rules = '&a < g');
create collation public.ours (provider = icu, locale = 'und', rules = '&a < g');
