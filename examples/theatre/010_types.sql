-- The demo's content: the site of a theatre company in France, so with French names. It is not a part of the product:
-- `npm run demo` and `npm run stack` run these files in the order of their names, after the migrations.
create type public.statut_publication as enum ('brouillon', 'relecture', 'publie', 'archive');
create type public.type_media as enum ('image', 'video', 'audio', 'document');
create type public.statut_reservation as enum ('en_attente', 'confirmee', 'annulee', 'utilisee');
create type public.tarif as enum ('plein', 'reduit', 'jeune', 'groupe', 'invitation');

create type public.adresse as (rue text, code_postal text, ville text);

create domain public.courriel as text
constraint courriel_form check (value ~ '^[^@[:space:]]+@[^@[:space:]]+\.[^@[:space:]]+$');

create domain public.montant as numeric(8, 2)
constraint montant_positif check (value >= 0);

create domain public.saison as text
constraint saison_form check (value ~ '^20[0-9]{2}-20[0-9]{2}$' and right(value, 4)::integer = left(value, 4)::integer + 1);

comment on type public.statut_publication is 'Où en est un contenu avant d’être visible du public.';
comment on domain public.saison is 'Une saison théâtrale : 2025-2026.';

-- The part of an address that names a page: no accents, small letters, dashes.
create function public.en_slug(texte text)
returns text
language sql
immutable
strict
set search_path = ''
as $$
    select btrim(
        regexp_replace(
            translate(
                replace(replace(lower(texte), 'œ', 'oe'), 'æ', 'ae'),
                'àâäáãçéèêëíìîïñóòôöõúùûüÿ', 'aaaaaceeeeiiiinooooouuuuy'
            ),
            '[^a-z0-9]+', '-', 'g'
        ),
        '-'
    );
$$;

comment on function public.en_slug is 'Le texte, réduit à ce qui peut figurer dans une adresse.';

create function public.noter_mise_a_jour()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
    new.mis_a_jour_le := now();
    return new;
end;
$$;

comment on function public.noter_mise_a_jour is 'Tient la colonne mis_a_jour_le.';
