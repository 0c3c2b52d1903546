create text search dictionary public.german (template = snowball, language = german, stopwords = german);
create text search dictionary public.plain (template = simple);
create text search dictionary public."Hurt ""x""" (template = pg_catalog.simple, accept = false);
comment on text search dictionary public.german is 'words''';
alter text search dictionary public.german owner to director;
