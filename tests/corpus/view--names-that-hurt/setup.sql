create table public."T
x" ("a\b" integer, "100%s" text);
create view public."\! echo hurt" as select "a\b", "100%s" as "as ""x""", 'it''s \ $$'::text as "$1" from public."T
x" as "select" where "100%s" <> E'\\' group by 1, 2;
create view public."view" as select "order"."select" from (values (1)) as "order" ("select");
