create table public.lieux (
    id integer generated always as identity primary key,
    nom text not null unique,
    adresse public.adresse,
    capacite integer not null,
    position point,
    accessibilite jsonb not null default '{}',

    constraint capacite_positive check (capacite > 0)
);

comment on table public.lieux is 'Salles et lieux où la compagnie joue.';
comment on column public.lieux.position is 'Longitude et latitude.';
