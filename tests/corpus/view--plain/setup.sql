create table public.play (id integer primary key, title text);
create view public.titles as select title from public.play;
create view public.renamed ("A", "select") as select id, title from public.play where title <> 'it''s' order by id desc limit 5;
create view public.of_view as select * from public.titles join public.renamed on true;
