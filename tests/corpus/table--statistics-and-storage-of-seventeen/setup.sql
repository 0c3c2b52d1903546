-- from version: 16
-- says: ALTER TABLE ONLY public.t ALTER COLUMN b SET STORAGE EXTERNAL;
-- says: ALTER TABLE ONLY public.t ALTER COLUMN a SET STATISTICS 7;
-- says: ALTER STATISTICS public.s SET STATISTICS 9;
create table public.t (a integer, b text storage external, c integer);
alter table public.t alter column a set statistics 7, alter column c set statistics -1;
create statistics public.s on a, c from public.t; alter statistics public.s set statistics 9;
create statistics public.d on a, b from public.t;
