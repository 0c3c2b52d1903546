-- Who sees and writes what. A project's new tables are open to the API's roles by default: row level security closes
-- them, and what nobody without an account shall do is revoked as well.
alter table public.profils enable row level security;
alter table public.lieux enable row level security;
alter table public.spectacles enable row level security;
alter table public.medias enable row level security;
alter table public.membres_equipe enable row level security;
alter table public.distributions enable row level security;
alter table public.representations enable row level security;
alter table public.reservations enable row level security;
alter table public.reservations_2023_2024 enable row level security;
alter table public.reservations_2024_2025 enable row level security;
alter table public.reservations_2025_2026 enable row level security;
alter table public.reservations_2026_2027 enable row level security;
alter table public.reservations_autres enable row level security;
alter table public.billets enable row level security;
alter table public.articles enable row level security;

revoke insert, update, delete, truncate, references, trigger on all tables in schema public from anon;
revoke all on public.reservations, public.billets, public.profils, public.frequentation from anon;
-- The address of a member of the company is for those who have an account.
revoke select on public.membres_equipe from anon;
grant select (id, prenom, nom, nom_complet, fonction, biographie, photo_id, reseaux, actif, ordre) on public.membres_equipe to anon;
revoke all on public.frequentation from authenticated;

create policy "publiés, pour tous" on public.spectacles for select to anon, authenticated using (statut = 'publie');
create policy "publiés, pour tous" on public.articles for select to anon, authenticated
using (statut = 'publie' and publie_le <= now());
create policy "ouverts à tous" on public.lieux for select to anon, authenticated using (true);
create policy "actifs, pour tous" on public.membres_equipe for select to anon, authenticated using (actif);
create policy "des spectacles visibles" on public.medias for select to anon, authenticated
using (spectacle_id is null or exists (select from public.spectacles s where s.id = spectacle_id));
create policy "des spectacles visibles" on public.distributions for select to anon, authenticated
using (exists (select from public.spectacles s where s.id = spectacle_id));
create policy "des spectacles visibles" on public.representations for select to anon, authenticated
using (exists (select from public.spectacles s where s.id = spectacle_id));

create policy "le sien" on public.profils for select to authenticated using (id = (select auth.uid()));
create policy "les siennes" on public.reservations for select to authenticated using (compte_id = (select auth.uid()));
create policy "les siens" on public.billets for select to authenticated
using (exists (select from public.reservations v where v.id = reservation_id));

create policy "rédaction" on public.spectacles to authenticated using ((select public.est_editeur())) with check ((select public.est_editeur()));
create policy "rédaction" on public.articles to authenticated using ((select public.est_editeur())) with check ((select public.est_editeur()));
create policy "rédaction" on public.medias to authenticated using ((select public.est_editeur())) with check ((select public.est_editeur()));
create policy "rédaction" on public.membres_equipe to authenticated using ((select public.est_editeur())) with check ((select public.est_editeur()));
create policy "rédaction" on public.distributions to authenticated using ((select public.est_editeur())) with check ((select public.est_editeur()));
create policy "rédaction" on public.representations to authenticated using ((select public.est_editeur())) with check ((select public.est_editeur()));
-- Nobody deletes what the public has reserved and somebody has paid for.
create policy "pas de suppression" on public.reservations as restrictive for delete to authenticated using (false);

-- Pages that show free seats listen to these tables, where Realtime is.
do $$
begin
    if exists (select from pg_publication where pubname = 'supabase_realtime') then
        alter publication supabase_realtime add table public.representations, public.articles;
    end if;
end;
$$;
