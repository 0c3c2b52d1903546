-- encoding: EUC_JP
set client_encoding = 'UTF8';
create table public.yakusha (namae text);
insert into public.yakusha values ('歌舞伎'), ('能');
