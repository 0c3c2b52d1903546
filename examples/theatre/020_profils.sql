-- People who have signed up; each account of auth.users has a profile.
create table public.profils (
    id uuid primary key references auth.users (id) on delete cascade,
    nom text not null,
    editeur boolean not null default false,
    preferences jsonb not null default '{}',
    cree_le timestamptz not null default now(),
    mis_a_jour_le timestamptz not null default now()
);

comment on table public.profils is 'Profils des comptes ; ceux de la rédaction ont le droit de publier.';
comment on column public.profils.editeur is 'Membre de la rédaction.';

create trigger profils_mise_a_jour
before update on public.profils
for each row execute function public.noter_mise_a_jour();

-- Runs as its owner: the auth service, which inserts the account, has no rights on profiles.
create function public.creer_profil()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    insert into public.profils (id, nom, editeur, cree_le, mis_a_jour_le)
    values (
        new.id,
        coalesce(new.raw_user_meta_data ->> 'nom', split_part(new.email, '@', 1), 'Anonyme'),
        coalesce((new.raw_app_meta_data ->> 'editeur')::boolean, false),
        coalesce(new.created_at, now()),
        coalesce(new.created_at, now())
    );
    return new;
end;
$$;

revoke all on function public.creer_profil from public, anon, authenticated;

create trigger creer_profil
after insert on auth.users
for each row execute function public.creer_profil();

-- Runs as its owner: policies ask it, and the table it asks has policies itself.
create function public.est_editeur()
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
    select exists (select from public.profils p where p.id = auth.uid() and p.editeur);
$$;

revoke all on function public.est_editeur from public, anon;
grant execute on function public.est_editeur to authenticated, service_role;
comment on function public.est_editeur is 'Le compte qui demande fait-il partie de la rédaction ?';
