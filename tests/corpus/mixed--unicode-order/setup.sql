create table public."é" (a integer); create table public."z" (a integer); create table public."🎭" (a integer); create table public."￮" (a integer); create table public."Ω" (a integer); create table public."字" (a integer); create table public."é" (a integer); create table public.a (a integer); create table public."￰🎭" (a integer);
create table public."größe_größe_größe_größe_größe_größe_größe_größ" (a integer, "größe_größe_größe_größe_größe_größe_größe_größ" text);
create index on public."größe_größe_größe_größe_größe_größe_größe_größ" (a, "größe_größe_größe_größe_größe_größe_größe_größ");
