create operator family public."Fam ""x""" using gin;
create operator family public.nothing using hash;
