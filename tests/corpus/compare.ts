/** What two archives, or two scripts, say differently. */
import type { Cluster } from "../../stack/postgres/cluster.ts";
import { bytesFrom, readArchive } from "../../supabase/functions/backup/archive/reader.ts";
import { type Entry, isBeyondPgDump } from "../../supabase/functions/backup/entry.ts";
import { archiveScript } from "./programs.ts";

/** Lines shown before the first difference, and from each side after it. */
const CONTEXT = 3;
const SHOWN = 8;

/**
 * Compares two archives of the same database: tables of contents field by field, dependencies by what they name (dump
 * ids differ, and ids that are not in the archive mean nothing to pg_restore; entries that it passes over are ours),
 * then the scripts that pg_restore prints. Answers the differences in words, null when there are none.
 */
export async function compareArchives(
  cluster: Cluster,
  ours: string,
  theirs: string,
): Promise<string | null> {
  const [ourContents, theirContents] = await Promise.all([contents(ours), contents(theirs)]);
  const [ourScript, theirScript] = await Promise.all([
    archiveScript(cluster, ours),
    archiveScript(cluster, theirs),
  ]);
  const differences = [
    firstDifference("table of contents", ourContents, theirContents),
    compareScripts("script", ourScript, theirScript),
  ].filter((difference) => difference !== null);
  return differences.length === 0 ? null : differences.join("\n");
}

/** Compares two scripts apart from what differs between any two dumps of one database. */
export function compareScripts(what: string, ours: string, theirs: string): string | null {
  return firstDifference(what, withoutVersions(ours), withoutVersions(theirs));
}

function withoutVersions(script: string): string {
  return script
    .replace(/^-- Dumped (from database|by pg_dump) version .*$/gm, "")
    .replace(/^\\(un)?restrict \w+$/gm, "\\$1restrict");
}

/** Where two texts part, with the lines around; null when they are equal. */
export function firstDifference(what: string, ours: string, theirs: string): string | null {
  if (ours === theirs) return null;
  const [ourLines, theirLines] = [ours.split("\n"), theirs.split("\n")];
  let at = 0;
  while (ourLines[at] === theirLines[at]) at++;
  const show = (mark: string, lines: string[], from: number, to: number) =>
    lines.slice(Math.max(0, from), to).map((line) => `${mark} ${line}`);
  return [
    `${what} differs at line ${at + 1} (${ourLines.length} lines instead of ${theirLines.length}):`,
    ...show(" ", theirLines, at - CONTEXT, at),
    ...show("- expected", theirLines, at, at + SHOWN),
    ...show("+ found   ", ourLines, at, at + SHOWN),
  ].join("\n");
}

async function contents(path: string): Promise<string> {
  using file = await Deno.open(path);
  const archive = await readArchive(bytesFrom(file.readable));
  const entries = archive.entries.filter((entry) => !isBeyondPgDump(entry));
  const labels = new Map(entries.map((entry) => [entry.dumpId, label(entry)]));
  return entries.map((entry) => {
    const { dumpId: _, dependencies, definition, ...fields } = entry;
    const needs = new Set(dependencies.map((id) => labels.get(id)).filter((name) => name !== undefined));
    const properties = { ...fields, needs: [...needs].sort() };
    return [
      label(entry),
      ...Object.entries(properties).map(([name, value]) => `    ${name}: ${JSON.stringify(value)}`),
      ...(definition ?? "none").split("\n").map((line) => `    | ${line}`),
    ].join("\n");
  }).join("\n");
}

function label({ desc, namespace, tag }: Entry): string {
  return `${desc} ${namespace === null ? tag : `${namespace}.${tag}`}`;
}
