/** What CHANGELOG.md says of the releases between two versions. */

/** Returns the lines of all releases that are newer than `version`. The newest stands first in the file. */
export function changesSince(changelog: string, version: string): string[] {
  const lines = changelog.split("\n");
  const first = lines.findIndex((line) => line.startsWith("## "));
  if (first < 0) return [];
  const end = lines.findIndex((line) => line.startsWith("## ") && line.includes(version));
  const text = lines.slice(first, end < 0 ? undefined : end).join("\n").trim();
  return text === "" ? [] : ["", ...text.split("\n"), ""];
}
