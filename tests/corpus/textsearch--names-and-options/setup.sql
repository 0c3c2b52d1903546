create text search dictionary public."\! echo
hurt" (template = synonym, synonyms = synonym_sample); create text search dictionary public.ispell_like (template = pg_catalog.simple, stopwords = 'english');
create extension unaccent; create text search configuration public."Conf ig" (copy = simple);
alter text search configuration public."Conf ig" alter mapping for hword, word with unaccent, public."\! echo
hurt", simple;
comment on text search configuration public."Conf ig" is 'x'; comment on text search dictionary public."\! echo
hurt" is 'y';
create schema t; create text search parser t.p (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype); create text search configuration t.c (parser = t.p);
