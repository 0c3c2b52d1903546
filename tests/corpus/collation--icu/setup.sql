create collation public.german (provider = icu, locale = 'de-u-co-phonebk');
create collation public.ignoring_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create table public.t (a text collate public.german, b text collate public.ignoring_case);
insert into public.t values ('Ä', 'ä');
create index on public.t (a, b);
create domain public.word as text collate public.german;
