/** Faults of a stored backup: each kind has a word that stays, and a message that says what and where. */

export type FaultCode =
  | "manifest_missing"
  | "manifest_invalid"
  | "manifest_of_another"
  | "manifest_changed"
  | "part_missing"
  | "part_empty"
  | "part_truncated"
  | "part_too_long"
  | "part_swapped"
  | "part_zeroed"
  | "part_replaced"
  | "part_damaged"
  | "part_unreadable"
  | "part_not_decrypted"
  | "foreign_file"
  | "archive_not_one"
  | "archive_head_damaged"
  | "archive_entries"
  | "archive_id_twice"
  | "block_missing"
  | "block_twice"
  | "block_unknown"
  | "block_damaged"
  | "rows_without_end"
  | "rows_differ"
  | "bytes_differ"
  | "content_differs"
  | "table_not_in_manifest"
  | "table_not_in_archive"
  | "archive_cut_off";

export interface Fault {
  code: FaultCode;
  message: string;
}
