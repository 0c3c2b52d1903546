create type public."\! echo hurt" as ("from" integer, "b
c" text collate "C", "100%s" numeric(3,1)[]);
comment on type public."\! echo hurt" is 'x'; comment on column public."\! echo hurt"."b
c" is 'it''s'; comment on column public."\! echo hurt"."from" is 'y';
grant usage on type public."\! echo hurt" to "odd=name/with,{braces} 100%s";
alter type public."\! echo hurt" owner to "o'brien ""the"" \voice";
