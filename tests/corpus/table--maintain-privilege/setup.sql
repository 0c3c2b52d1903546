-- from version: 17
-- says: GRANT MAINTAIN ON TABLE public.t TO actor;
-- says: GRANT ALL ON TABLE public.t TO director;
-- says: GRANT SELECT,INSERT,REFERENCES,DELETE,TRIGGER,TRUNCATE,UPDATE ON TABLE public.t TO "select";
create table public.t (a integer);
grant maintain on public.t to actor;
grant all on public.t to director;
grant select, insert, references, delete, trigger, truncate, update on public.t to "select";
alter default privileges grant maintain on tables to actor;
