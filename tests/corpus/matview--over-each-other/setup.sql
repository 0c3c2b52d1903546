create materialized view public.z as select 1 as x;
create materialized view public.y as select * from public.z;
create view public.between as select * from public.y;
create materialized view public.a as select * from public.between;
create materialized view public.not_filled as select * from public.a with no data;
