create foreign data wrapper "\! echo
hurt" options ("k ""x""" E'it''s \\ \n');
create server "S
x" type '' version 'v' foreign data wrapper "\! echo
hurt" options (a ''); create server z foreign data wrapper "\! echo
hurt";
create user mapping for "odd=name/with,{braces} 100%s" server "S
x" options ("p ""w""" E'\\''$$'); create user mapping for current_user server z options (a '1', b '2');
grant usage on foreign data wrapper "\! echo
hurt" to "odd=name/with,{braces} 100%s" with grant option; grant usage on foreign server "S
x" to public;
create foreign table public."F t" ("a b" integer options ("x y" 'z'), c text not null default 'd', constraint "c c" check ("a b" > 0) not valid) server z options ("o o" E'\\');
alter foreign table public."F t" alter column c set storage plain; comment on constraint "c c" on public."F t" is 'x';
