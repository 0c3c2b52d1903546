create table public.spectacles (
    id uuid primary key default gen_random_uuid(),
    titre text not null,
    slug text generated always as (public.en_slug(titre)) stored,
    sous_titre text,
    auteur text,
    saison public.saison not null,
    statut public.statut_publication not null default 'brouillon',
    resume text,
    description text,
    duree interval,
    age_minimum smallint,
    prix_plein public.montant,
    etiquettes text[] not null default '{}',
    metadonnees jsonb not null default '{}',
    recherche tsvector generated always as (
        setweight(to_tsvector('pg_catalog.french', titre), 'A')
        || setweight(to_tsvector('pg_catalog.french', coalesce(auteur, '') || ' ' || coalesce(resume, '')), 'B')
        || to_tsvector('pg_catalog.french', coalesce(description, ''))
    ) stored,
    publie_le timestamptz,
    cree_le timestamptz not null default now(),
    mis_a_jour_le timestamptz not null default now(),

    constraint spectacle_unique_par_saison unique (slug, saison),
    constraint age_minimum_plausible check (age_minimum between 0 and 18),
    constraint publie_a_une_date check (statut <> 'publie' or publie_le is not null)
);

create index spectacles_recherche on public.spectacles using gin (recherche);
create index spectacles_etiquettes on public.spectacles using gin (etiquettes);
create index spectacles_publies on public.spectacles (saison, publie_le desc) where statut = 'publie';

create trigger spectacles_mise_a_jour
before update on public.spectacles
for each row execute function public.noter_mise_a_jour();

comment on table public.spectacles is 'Les spectacles de la compagnie, saison par saison.';
comment on column public.spectacles.metadonnees is 'Fiche technique, partenaires, liens : ce qui varie d’un spectacle à l’autre.';
