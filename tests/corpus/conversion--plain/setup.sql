create conversion public.ours for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;
create default conversion public."Ours ""too""" for 'UTF8' to 'LATIN1' from utf8_to_iso8859_1;
comment on conversion public.ours is 'latin';
alter conversion public.ours owner to director;
