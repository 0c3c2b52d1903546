/** The inventory of Storage's files beside the parts of a backup: their names and sizes, not their content. */

/** Its name in the backup's folder; with `.age` behind it where the backup is encrypted. */
export const INVENTORY_NAME = "storage-inventory.jsonl.gz";

/** Its description in the manifest. */
export interface Inventory {
  name: string;
  bytes: number;
  sha256: string;
  /** Lines: one for each object of every bucket but the backups' own. */
  objects: number;
  /** False where there are more objects than were listed; the archive has all rows of storage.objects. */
  complete: boolean;
}
