create table if not exists versioning.settings (
    id boolean primary key default true,
    editor_role text not null default 'editor',

    constraint one_row check (id),
    constraint editor_role_given check (editor_role <> '')
);

insert into versioning.settings default values on conflict (id) do nothing;

alter table versioning.settings enable row level security;
drop policy if exists "readable by all" on versioning.settings;
create policy "readable by all" on versioning.settings for select using (true);

comment on table versioning.settings is 'Settings of the histories: one row, changed by versioning.configure().';
comment on column versioning.settings.id is 'Always true: there is one row.';
comment on column versioning.settings.editor_role is
    'Name of the role whose members read all histories: a database role, or app_metadata.role in the token.';

create or replace function versioning.configure(editor_role text default null)
returns versioning.settings
language sql
-- service_role may change the settings, but not write the table.
security definer
set search_path = pg_catalog, pg_temp
as $$
    update versioning.settings s
    set editor_role = coalesce(configure.editor_role, s.editor_role)
    returning s.*;
$$;

comment on function versioning.configure is
    'Changes the settings that the call names and returns all settings. Example: select '
    'versioning.configure(editor_role => ''redaction'')';

create or replace function versioning._is_editor()
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from versioning.settings s
        where nullif(current_setting('request.jwt.claims', true), '')::jsonb -> 'app_metadata' ->> 'role' = s.editor_role
            or exists (
                select from pg_catalog.pg_roles r where r.rolname = s.editor_role and pg_has_role(r.oid, 'member')
            )
    );
$$;

comment on function versioning._is_editor is
    'Returns whether the caller may read all histories: as a member of the editor role, or by app_metadata.role in '
    'the token, which only the service can write.';
