-- One row: who, beside a table's own policies, may read histories.
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
revoke all on versioning.settings from anon, authenticated, service_role;
grant select on versioning.settings to anon, authenticated, service_role;

comment on table versioning.settings is 'Settings of the histories; one row, changed by versioning.configure().';
comment on column versioning.settings.id is 'Always true: there is one row.';
comment on column versioning.settings.editor_role is 'Who has it, as database role or as app_metadata.role in the token, reads all histories.';

-- Example: select versioning.configure(editor_role => 'redaction');
create or replace function versioning.configure(editor_role text default null)
returns versioning.settings
language sql
-- service_role may change settings here, and not write the table.
security definer
set search_path = ''
as $$
    update versioning.settings s
    set editor_role = coalesce(configure.editor_role, s.editor_role)
    returning s.*;
$$;

revoke all on function versioning.configure from public;
grant execute on function versioning.configure to service_role;
comment on function versioning.configure is 'Changes the settings named in the call; answers all of them.';

-- Is the caller an editor: a member of the database role of that name, or one whose token says so? Only the service can write app_metadata.
create or replace function versioning._is_editor()
returns boolean
language sql
stable
set search_path = ''
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

revoke all on function versioning._is_editor from public;
grant execute on function versioning._is_editor to anon, authenticated, service_role;
comment on function versioning._is_editor is 'May the caller read every history?';
