-- from version: 18
-- says:     a integer CONSTRAINT named NOT NULL,
-- says:     c integer CONSTRAINT own NOT NULL NO INHERIT,
-- says:     ADD CONSTRAINT later NOT NULL d NOT VALID;
create table public.t (a integer constraint named not null, b integer not null, c integer constraint own not null no inherit, d integer);
alter table public.t add constraint later not null d not valid;
comment on constraint named on public.t is 'named';
create table public.child (constraint renamed not null b) inherits (public.t);
create table public.p (a integer constraint pn not null, b integer not null) partition by list (a);
create table public.p1 partition of public.p for values in (1);
create domain public.d as integer constraint dn not null;
