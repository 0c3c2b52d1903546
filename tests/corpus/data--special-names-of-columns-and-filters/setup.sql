create table public."\.

x" ("\N" text, "a,b" text, "(c)" text, "d'e" text, "f""g" text); insert into public."\.

x" values ('\N', ',', '(', '''', '"'), (null, '\.', E'\n', E'\t', '');
