create schema functions;
create function functions."Touch It"() returns trigger language plpgsql as $$ begin return new; end $$;
create table public.b (a integer); create table public.a (a integer); create table public."A" (a integer);
create trigger "same
name" before insert on public.b for each row execute function functions."Touch It"('\', E'new\nline', '100%s');
create trigger "same
name" before insert on public.a for each row execute function functions."Touch It"();
create trigger "same
name" before insert on public."A" for each row execute function functions."Touch It"();
create trigger a_trigger after insert on public.b for each statement execute function functions."Touch It"();
alter table public.a disable trigger "same
name";
