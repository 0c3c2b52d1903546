-- from version: 18
-- says: CREATE PUBLICATION p WITH (publish = 'insert, update, delete, truncate', publish_generated_columns = stored);
create table public.t (a integer primary key, b integer generated always as (a) stored);
create publication p for table public.t with (publish_generated_columns = stored);
