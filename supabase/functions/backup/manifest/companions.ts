/** Files beside the parts of a backup, which are not part of its archive: for people who restore it. */
import { INVENTORY_NAME } from "./inventory.ts";
import { MANIFEST_NAME, PART_NAME } from "./manifest.ts";

/** How to restore, for a person. */
export const NOTES_NAME = "RESTORE.md";

/** What a restore into a project leaves out, for `pg_restore -L`. */
export const LIST_NAME = "restore.list";

/** The server's roles as SQL, for psql; encrypted as the parts are, because settings may be secrets. */
export const ROLES_NAME = "roles.sql";

export const COMPANIONS: ReadonlySet<string> = new Set([
  ROLES_NAME,
  `${ROLES_NAME}.age`,
  NOTES_NAME,
  LIST_NAME,
  INVENTORY_NAME,
  `${INVENTORY_NAME}.age`,
]);

/**
 * Returns whether these files of a folder are a verified backup without its manifest: RESTORE.md is written after the
 * verification, and rotation removes it before the manifest.
 */
export function hasLostManifest(files: readonly string[]): boolean {
  return !files.includes(MANIFEST_NAME) && files.includes(NOTES_NAME) &&
    files.some((name) => PART_NAME.test(name));
}
