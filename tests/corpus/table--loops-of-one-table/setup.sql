-- A default and a check that need functions of the table, a sequence that it owns, a column that needs another.
create sequence ticket_number;
create table ticket (number int default nextval('ticket_number'), price int, free int, tax int generated always as (price / 5) stored);
alter sequence ticket_number owned by ticket.number;
create function sold() returns int language sql as 'select count(*)::int from public.ticket';
create function is_fair(ticket) returns boolean language sql immutable as 'select $1.price < 100';
alter table ticket alter free set default sold();
alter table ticket add constraint fair check (is_fair(ticket));
alter table ticket add constraint positive check (price > 0);
comment on constraint fair on ticket is 'apart';
comment on constraint positive on ticket is 'inside';
insert into ticket (price) values (10), (20);
