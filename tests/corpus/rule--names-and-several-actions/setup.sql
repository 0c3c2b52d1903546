create table public."T ""x""" ("A" integer, b text);
create table public.log (a integer, b text);
create rule "\! echo hurt" as on update to public."T ""x""" where old."A" <> new."A" do instead (insert into public.log values (new."A", 'it''s'); select 1; update public.log set b = old.b);
create rule same as on insert to public.log do also nothing;
create rule same as on insert to public."T ""x""" do also nothing;
comment on rule "\! echo hurt" on public."T ""x""" is 'x';
