create table public.articles (
    id bigint generated always as identity primary key,
    titre text not null,
    slug text not null unique,
    chapo text,
    corps text not null,
    auteur_id uuid references public.profils (id) on delete set null,
    spectacle_id uuid references public.spectacles (id) on delete set null,
    statut public.statut_publication not null default 'brouillon',
    etiquettes text[] not null default '{}',
    metadonnees jsonb not null default '{}',
    recherche tsvector generated always as (to_tsvector('pg_catalog.french', titre || ' ' || corps)) stored,
    publie_le timestamptz,
    cree_le timestamptz not null default now(),
    mis_a_jour_le timestamptz not null default now(),

    constraint article_publie_a_une_date check (statut <> 'publie' or publie_le is not null)
);

create index articles_recherche on public.articles using gin (recherche);
create index articles_publies on public.articles (publie_le desc) where statut = 'publie';

create trigger articles_mise_a_jour
before update on public.articles
for each row execute function public.noter_mise_a_jour();

comment on table public.articles is 'Le journal de la compagnie.';
