create table public.play (id integer primary key, title text);
create function public.titles() returns setof text language sql begin atomic select title from public.play; select title from public.play where id > 1; end;
create function public.one() returns integer language sql return 1 + 1;
create function public.insert_one(t text) returns void language sql begin atomic insert into public.play values (1, t); end;
