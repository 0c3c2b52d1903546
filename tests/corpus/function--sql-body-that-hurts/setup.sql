create table public.t (a integer, b text);
create function public.f(x integer) returns text language sql begin atomic
    insert into public.t values (x, 'it''s $$ \ ; --');
    update public.t set b = E'new\nline' where a = x;
    delete from public.t where a > x;
    select b from public.t where a = x order by b limit 1;
end;
create procedure public.p(inout a integer) language sql begin atomic select a + 1; end;
create function public.nothing() returns void language sql begin atomic end;
