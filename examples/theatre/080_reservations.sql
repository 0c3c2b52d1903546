-- The two large tables. Reservations have a partition a season: a season that is over is never written again.
create table public.reservations (
    id uuid not null default gen_random_uuid(),
    saison public.saison not null,
    representation_id bigint not null references public.representations (id),
    compte_id uuid references auth.users (id) on delete set null,
    nom text not null,
    courriel public.courriel not null,
    telephone text,
    statut public.statut_reservation not null default 'en_attente',
    total public.montant not null,
    details jsonb not null default '{}',
    reservee_le timestamptz not null default now(),

    primary key (id, saison)
) partition by list (saison);

create table public.reservations_2023_2024 partition of public.reservations for values in ('2023-2024');
create table public.reservations_2024_2025 partition of public.reservations for values in ('2024-2025');
create table public.reservations_2025_2026 partition of public.reservations for values in ('2025-2026');
create table public.reservations_2026_2027 partition of public.reservations for values in ('2026-2027');
create table public.reservations_autres partition of public.reservations default;

create index reservations_de_la_representation on public.reservations (representation_id) where statut <> 'annulee';
create index reservations_du_compte on public.reservations (compte_id) where compte_id is not null;

create table public.billets (
    numero bigserial primary key,
    reservation_id uuid not null,
    saison public.saison not null,
    place text,
    tarif public.tarif not null,
    prix public.montant not null,
    code_barres char(13) not null unique,

    foreign key (reservation_id, saison) references public.reservations (id, saison) on delete cascade
);

create index billets_de_la_reservation on public.billets (reservation_id);

comment on table public.reservations is 'Réservations du public, une partition par saison.';
comment on column public.reservations.details is 'Comment la réservation est venue : canal, remarques, consentements.';
comment on table public.billets is 'Un billet par place réservée.';
