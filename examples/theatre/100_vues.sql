-- What the site's pages show. The view runs with the rights of who asks: the tables' policies hold.
create view public.representations_a_venir with (security_invoker = true) as
select
    r.id,
    r.debut,
    r.fin,
    s.titre,
    s.slug,
    s.saison,
    l.nom as lieu,
    (l.adresse).ville,
    r.complet
from public.representations r
join public.spectacles s on s.id = r.spectacle_id
join public.lieux l on l.id = r.lieu_id
where r.debut > now() and s.statut = 'publie';

-- For the box office: how full the house was.
create materialized view public.frequentation as
select
    s.id as spectacle_id,
    s.titre,
    v.saison,
    count(distinct v.representation_id) as representations,
    count(b.numero) as billets,
    coalesce(sum(b.prix), 0) as recette,
    round(100.0 * count(b.numero) / nullif(count(distinct v.representation_id) * max(l.capacite), 0), 1) as remplissage
from public.reservations v
join public.representations r on r.id = v.representation_id
join public.spectacles s on s.id = r.spectacle_id
join public.lieux l on l.id = r.lieu_id
left join public.billets b on b.reservation_id = v.id and b.saison = v.saison
where v.statut in ('confirmee', 'utilisee')
group by s.id, s.titre, v.saison;

create unique index frequentation_par_spectacle on public.frequentation (spectacle_id, saison);

create function public.places_restantes(representation bigint)
returns bigint
language sql
stable
-- Anybody may know how many seats are left, nobody who has reserved them.
security definer
set search_path = ''
as $$
    select l.capacite - count(b.numero)
    from public.representations r
    join public.lieux l on l.id = r.lieu_id
    left join public.reservations v on v.representation_id = r.id and v.statut <> 'annulee'
    left join public.billets b on b.reservation_id = v.id and b.saison = v.saison
    where r.id = representation
    group by l.capacite;
$$;

revoke all on function public.places_restantes from public;
grant execute on function public.places_restantes to anon, authenticated, service_role;

comment on view public.representations_a_venir is 'Ce que la page d’accueil annonce.';
comment on materialized view public.frequentation is 'Le public, spectacle par spectacle ; rafraîchie chaque nuit.';
comment on function public.places_restantes is 'Places encore libres pour une représentation.';
