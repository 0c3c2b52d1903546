create type public."Hurt""s" as enum ('', ' ', 'it''s', '"', E'back\\slash', E'new\nline', 'ß', 'sixty_three_bytes_long_label_abcdefghijklmnopqrstuvwxyz_123456', '\.', 'NULL');
create table public.t (a public."Hurt""s");
insert into public.t select unnest(enum_range(null::public."Hurt""s"));
