create type public.address as (street text, gone integer, zip text);
alter type public.address drop attribute gone;
alter type public.address add attribute country text;
