create type public.time_range as range (subtype = time);
create table public.show (at public.time_range, ats public.time_multirange);
insert into public.show values ('[10:00,12:00)', '{[1:00,2:00),[3:00,4:00)}'), ('empty', '{}');
comment on type public.time_range is 'when';
