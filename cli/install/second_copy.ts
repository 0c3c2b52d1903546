/** What is left to do for a second copy of each backup, outside the project. */
import { commandLine } from "../terminal/called_as.ts";
import { colors } from "../terminal/style.ts";

/** Values of the setting. */
export const SECOND_COPIES = ["s3", "s3_with_files", "none"] as const;
export type SecondCopy = (typeof SECOND_COPIES)[number];

/** Returns the commands that carry out a decision; both ways where there is none. */
export function secondCopySteps(decision: SecondCopy | null): string[] {
  const configure = (value: SecondCopy) => colors.bold(`select backup.configure(second_copy => '${value}');`);
  if (decision === "none") return [`Without a second copy: ${configure("none")}`];
  if (decision === null) {
    return [
      `Decide on a second copy (docs/second-copy.md): \`${
        commandLine("init", "--second-copy s3")
      }\` names the commands.`,
      `To opt out: ${configure("none")}`,
    ];
  }
  return [
    "For the second copy, make a private bucket at another company, and a key for it (docs/second-copy.md). Then:",
    `  ${colors.bold("supabase secrets set BACKUP_S3_ENDPOINT=https://… BACKUP_S3_REGION=… \\")}`,
    `    ${colors.bold("BACKUP_S3_BUCKET=… BACKUP_S3_ACCESS_KEY_ID=… BACKUP_S3_SECRET_ACCESS_KEY=…")}`,
    `  ${configure(decision)}   -- in the SQL editor`,
  ];
}
