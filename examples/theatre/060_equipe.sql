create table public.membres_equipe (
    id uuid primary key default gen_random_uuid(),
    prenom text not null,
    nom text not null,
    nom_complet text generated always as (prenom || ' ' || nom) stored,
    fonction text not null,
    biographie text,
    courriel public.courriel unique,
    photo_id uuid references public.medias (id) on delete set null,
    reseaux jsonb,
    naissance date,
    actif boolean not null default true,
    ordre double precision not null default 0,
    cree_le timestamptz not null default now(),
    mis_a_jour_le timestamptz not null default now()
);

create trigger membres_equipe_mise_a_jour
before update on public.membres_equipe
for each row execute function public.noter_mise_a_jour();

-- Who plays or does what in which play.
create table public.distributions (
    spectacle_id uuid not null references public.spectacles (id) on delete cascade,
    membre_id uuid not null references public.membres_equipe (id) on delete restrict,
    role text not null,
    ordre smallint not null default 0,

    primary key (spectacle_id, membre_id, role)
);

create index distributions_du_membre on public.distributions (membre_id);

comment on table public.membres_equipe is 'Comédiennes, comédiens et techniciens de la compagnie.';
comment on column public.membres_equipe.courriel is 'Interne : n’est pas lisible sans compte.';
comment on table public.distributions is 'Qui joue ou fait quoi dans quel spectacle.';
