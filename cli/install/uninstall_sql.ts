/** The migration that takes everything out of the database again. */

const JOBS = `-- Jobs first: one that fires meanwhile would find nothing.
do $$
begin
    if to_regclass('cron.job') is not null then
        perform cron.unschedule(j.jobid)
        from cron.job j
        where j.username = current_user and j.database = current_database()
            and (JOBS);
    end if;
end;
$$;
`;

/** Returns the migration's text. With `versioning` the histories go too; without it they stay, and go on. */
export function uninstallSql({ versioning }: { versioning: boolean }): string {
  const jobs = ["backup", ...(versioning ? ["versioning"] : [])]
    .map((schema) => `j.jobname like '${schema}-%' and j.command like 'select ${schema}.%'`);
  return [
    "-- Removes Supabase Backup. The bucket and the backups in it stay.\n",
    JOBS.replace("JOBS", jobs.join("\n                or ")),
    ...(versioning
      ? [
        "-- The triggers on tracked tables depend on functions of this schema, and go with it.\ndrop schema if exists versioning cascade;\n" +
        "drop schema if exists versioning_private cascade;\n",
      ]
      : []),
    "drop schema if exists backup cascade;\n",
  ].join("\n");
}
