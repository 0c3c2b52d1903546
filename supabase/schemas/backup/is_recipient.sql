-- Is this text what the setting `recipient` takes: age's public keys (age1…), one or up to eight divided by commas, each with its checksum
-- right? To a mistyped key nobody has the other half. Null is none.
create or replace function backup.is_recipient(recipient text)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
declare
    -- Bech32 (BIP 173): characters of five bits, the last six of them the remainder of a polynomial.
    characters constant text := 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
    -- What it is after the prefix `age`, and what each of the five bits that leave it brings in.
    after_prefix constant integer := 81605724;
    generator constant integer[] := '{996825010,642813549,513874426,1027748829,705979059}';
    recipients text[] := string_to_array(recipient, ',');
    remainder integer;
    leaving integer;
begin
    if coalesce(cardinality(recipients), 0) not between 1 and 8 then
        return false;
    end if;
    for i in 1 .. cardinality(recipients) loop
        -- 32 bytes and the checksum; the last character of the bytes has one bit of them.
        if btrim(recipients[i], ' ') !~ '^age1[02-9ac-hj-np-z]{51}[qs][02-9ac-hj-np-z]{6}$' then
            return false;
        end if;
        remainder := after_prefix;
        for j in 5 .. 62 loop
            leaving := remainder >> 25;
            remainder := ((remainder & 33554431) << 5) # (strpos(characters, substr(btrim(recipients[i], ' '), j, 1)) - 1);
            for bit in 0 .. 4 loop
                if (leaving >> bit) & 1 = 1 then
                    remainder := remainder # generator[bit + 1];
                end if;
            end loop;
        end loop;
        if remainder <> 1 then
            return false;
        end if;
    end loop;
    return true;
end;
$$;

revoke all on function backup.is_recipient from public;
grant execute on function backup.is_recipient to service_role;
comment on function backup.is_recipient is 'Is this text one or several of age''s public keys? Null is not.';
