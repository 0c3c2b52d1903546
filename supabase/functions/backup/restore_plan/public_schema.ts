/**
 * The schema `public` where the target has lost it: an archive does not create it, since every new database has it.
 */
import type { PlanStep } from "./plan_step.ts";

const NAME = "public";

/** From this version on its owner is the owner of the database, and others may only look things up in it. */
const OWNED_BY_DATABASE_OWNER = 150000;

/** Creates it as a new database has it; grants that differ are entries of the archive. */
export const createPublicSchema: PlanStep = ({ archive, target }, { entries }) => {
  if (target.schemas.has(NAME) || !entries.some(({ namespace }) => namespace === NAME)) return {};
  const later = target.version >= OWNED_BY_DATABASE_OWNER;
  const sql = [
    `CREATE SCHEMA ${NAME};`,
    `GRANT ${later ? "USAGE" : "ALL"} ON SCHEMA ${NAME} TO PUBLIC;`,
    `COMMENT ON SCHEMA ${NAME} IS 'standard public schema';`,
    ...(later ? [`ALTER SCHEMA ${NAME} OWNER TO pg_database_owner;`] : []),
  ];
  // Of other roles: only they can set them, and a restore by one who may is told nothing.
  const lost = target.superuser
    ? []
    : archive.filter(({ desc, namespace, owner }) =>
      desc === "DEFAULT ACL" && namespace === NAME && owner !== target.user && owner !== null
    );
  return {
    before: [{ what: `schema ${NAME}`, sql: `${sql.join("\n")}\n` }],
    notes: [`the target has no schema ${NAME}; it is created as a new database has it`],
    toDo: [...new Set(lost.map(({ owner }) => owner!))].map((owner) => ({
      what: `set the default privileges of ${owner} in schema ${NAME} again, which only that role can do`,
      sql: lost.filter((entry) => entry.owner === owner).map(({ definition }) => definition ?? "").join(""),
    })),
  };
};
