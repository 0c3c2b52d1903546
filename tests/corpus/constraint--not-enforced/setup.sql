-- from version: 18
-- says:     ADD CONSTRAINT later CHECK ((a > 0)) NOT ENFORCED;
-- says:     ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES public.p(i) NOT ENFORCED;
create table public.p (i integer primary key);
create table public.t (a integer);
alter table public.t add constraint later check (a > 0) not enforced, add constraint f foreign key (a) references public.p not enforced;
insert into public.t values (-1);
