create text search parser public.my_parser (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, headline = prsd_headline, lextypes = prsd_lextype);
create text search parser public.bare (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype);
create text search template public.my_template (init = dsimple_init, lexize = dsimple_lexize);
create text search template public.bare (lexize = dsimple_lexize);
create text search dictionary public.of_mine (template = public.my_template);
create text search configuration public.of_mine (parser = public.my_parser);
alter text search configuration public.of_mine add mapping for asciiword with public.of_mine;
comment on text search parser public.my_parser is 'parses';
comment on text search template public.my_template is 'templates';
