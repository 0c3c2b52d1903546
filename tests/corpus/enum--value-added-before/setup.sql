create type public.genre as enum ('tragedy', 'opera');
alter type public.genre add value 'comedy' before 'opera';
alter type public.genre add value 'ballet';
alter type public.genre rename value 'tragedy' to 'drama';
