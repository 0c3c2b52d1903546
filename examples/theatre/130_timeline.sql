-- Who changed what on the site: histories of the three tables that the company edits by hand, and a timeline of each.
-- The views run with the rights of who asks: row level security of the histories holds. Last of all files, so that what
-- the seed made is where the histories begin.
select
    versioning.track('public.spectacles', published => 'publie_le', keep_versions => 200),
    versioning.track('public.membres_equipe', published => 'actif', keep_versions => 200),
    versioning.track('public.medias', keep_versions => 200);

-- The name under which people know the author of a change; null for those whose profile the reader may not see.
create view public.historique_spectacles with (security_invoker = true) as
select
    h.key::uuid as spectacle_id,
    coalesce(h.after, h.before) ->> 'titre' as titre,
    h.version,
    h.at as le,
    p.nom as par,
    h.actor as compte,
    h.operation,
    versioning.summary(h) as resume,
    h.reason as motif,
    h.id,
    h.transaction
from versioning.history h
left join public.profils p on p.id::text = h.actor
where h.schema_name = 'public' and h.table_name = 'spectacles';

create view public.historique_equipe with (security_invoker = true) as
select
    h.key::uuid as membre_id,
    concat_ws(' ', coalesce(h.after, h.before) ->> 'prenom', coalesce(h.after, h.before) ->> 'nom') as nom,
    h.version,
    h.at as le,
    p.nom as par,
    h.actor as compte,
    h.operation,
    versioning.summary(h) as resume,
    h.reason as motif,
    h.id,
    h.transaction
from versioning.history h
left join public.profils p on p.id::text = h.actor
where h.schema_name = 'public' and h.table_name = 'membres_equipe';

create view public.historique_medias with (security_invoker = true) as
select
    h.key::uuid as media_id,
    coalesce(h.after, h.before) ->> 'chemin' as chemin,
    h.version,
    h.at as le,
    p.nom as par,
    h.actor as compte,
    h.operation,
    versioning.summary(h) as resume,
    h.reason as motif,
    h.id,
    h.transaction
from versioning.history h
left join public.profils p on p.id::text = h.actor
where h.schema_name = 'public' and h.table_name = 'medias';

comment on view public.historique_spectacles is 'Qui a changé quoi aux spectacles, version par version.';
comment on view public.historique_equipe is 'Qui a changé quoi aux fiches de l’équipe, version par version.';
comment on view public.historique_medias is 'Qui a changé quoi aux médias, version par version.';

-- What a page was before it was published is for those who have an account.
revoke all on public.historique_spectacles, public.historique_equipe, public.historique_medias from anon, authenticated;
grant select on public.historique_spectacles, public.historique_equipe, public.historique_medias to authenticated;
