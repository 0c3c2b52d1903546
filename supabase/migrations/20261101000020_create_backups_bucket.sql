-- The bucket of the backups: private, parts of an archive, the manifest and notes for a restore only, 500 MB a file. It has no policies, which is the tightest there is:
-- row level security then refuses everybody but the service role.
insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
values ('backups', 'backups', false, 524288000, array['application/octet-stream', 'application/json', 'text/plain', 'text/markdown'])
on conflict (id) do update
set public = excluded.public,
    file_size_limit = excluded.file_size_limit,
    allowed_mime_types = excluded.allowed_mime_types;
