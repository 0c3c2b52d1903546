create table public.medias (
    id uuid primary key default gen_random_uuid(),
    spectacle_id uuid references public.spectacles (id) on delete set null,
    type public.type_media not null,
    chemin text not null unique,
    legende text,
    texte_alternatif text,
    largeur integer,
    hauteur integer,
    octets bigint not null,
    empreinte bytea not null,
    metadonnees jsonb not null default '{}',
    cree_le timestamptz not null default now(),
    mis_a_jour_le timestamptz not null default now(),

    constraint empreinte_sha256 check (length(empreinte) = 32),
    -- An image has a size, other media have none.
    constraint image_a_des_dimensions check ((type = 'image') = (largeur is not null and hauteur is not null))
);

create index medias_du_spectacle on public.medias (spectacle_id);

create trigger medias_mise_a_jour
before update on public.medias
for each row execute function public.noter_mise_a_jour();

comment on table public.medias is 'Photos, vidéos et documents ; les fichiers sont dans Storage.';
