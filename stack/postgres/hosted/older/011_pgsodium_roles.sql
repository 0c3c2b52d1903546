-- The roles of pgsodium, which projects have that were made between the end of 2022 and 2025.
create role pgsodium_keyiduser nologin;
create role pgsodium_keyholder nologin;
create role pgsodium_keymaker nologin;

grant pgsodium_keyholder to pgsodium_keymaker;
grant pgsodium_keyiduser to pgsodium_keyholder;
grant pgsodium_keyiduser to pgsodium_keymaker;
grant pgsodium_keyholder, pgsodium_keyiduser, pgsodium_keymaker to postgres with admin option;
grant pgsodium_keyholder to service_role;
