create table public.t (a integer, b text);
create table public.log (a integer);
create rule protect as on delete to public.t do instead nothing;
create rule copy_it as on insert to public.t where new.a > 5 do also insert into public.log values (new.a);
create rule "Rule ""x""" as on update to public.t do also (insert into public.log values (old.a); delete from public.log where a = new.a);
comment on rule protect on public.t is 'nothing';
alter table public.t disable rule protect;
alter table public.t enable always rule copy_it;
alter table public.t enable replica rule "Rule ""x""";
