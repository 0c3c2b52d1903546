/**
 * Definitions: the target is read as a backup would read it, and must say of each object what the archive
 * says.
 */
import { classifyForProject, isPlatformRole } from "../restore_guide/project_entries.ts";
import { type Dump, type Entry, EXTENSION_DATA, EXTENSION_SEQUENCE, ROLES } from "../entry.ts";
import type { OpenArchive } from "../archive/reader.ts";
import type { Check } from "./check.ts";
import { meaningsOf, sameMeaning } from "./meaning.ts";
import type { TargetFacts } from "../restore_plan/context.ts";
import { labelOf } from "../restore/names.ts";
import { isOfCron } from "../restore_plan/cron_jobs.ts";
import { isOfMember } from "../restore_plan/extensions.ts";
import type { Plan } from "../restore_plan/plan_step.ts";

const HEADING = new Set(["ENCODING", "STDSTRINGS", "SEARCHPATH", "DATABASE", "DATABASE PROPERTIES"]);

/** Looked at elsewhere: rows by their content. */
const DATA = new Set(["TABLE DATA", "BLOBS", EXTENSION_DATA, EXTENSION_SEQUENCE, ROLES]);

const FOLLOWERS = new Set(["ACL", "COMMENT", "SECURITY LABEL"]);

const ROW_SECURITY = "ROW SECURITY";

const NAMED = 5;

/** Letters of a definition that are shown, and of these in front of a difference. */
const SHOWN = 80;
const BEFORE = 30;

/**
 * One check for each kind of object: how many of how many are as they were, and which are not. Entries that `reported`
 * names, by their label, are passed over: what has become of them is known.
 */
export function compareDefinitions(
  archive: OpenArchive,
  plan: Plan,
  target: TargetFacts,
  dump: Dump,
  wasEmpty: boolean,
  reported: ReadonlySet<string> = new Set(),
): Check[] {
  const found = new Map<string, Entry[]>();
  for (const entry of dump.entries) found.set(keyOf(entry), [...found.get(keyOf(entry)) ?? [], entry]);
  const kinds = new Map<string, { right: number; skipped: string[]; wrong: string[]; unchecked: string[] }>();
  const kindOf = (desc: string) => {
    const kind = kinds.get(desc) ?? { right: 0, skipped: [], wrong: [], unchecked: [] };
    kinds.set(desc, kind);
    return kind;
  };
  // Another version may say the same in other words.
  const sameVersion = majorOf(archive.header.serverVersion) === majorOf(dump.serverVersion);
  const expected = new Set(archive.entries.map(keyOf));
  const archived = new Set(archive.entries.map(({ dumpId }) => dumpId));
  const lacksExtensions = plan.missing.extensions.length > 0;
  for (const entry of [...plan.restored, ...plan.dependents]) {
    if (HEADING.has(entry.desc)) continue;
    if (DATA.has(entry.desc) || reported.has(labelOf(entry))) continue;
    const kind = kindOf(entry.desc);
    const there = found.get(keyOf(entry)) ?? [];
    const like = there.find((other) => sameMeaning(entry, other));
    if (plan.altered.has(entry.dumpId)) {
      kind.skipped.push(`${nameOf(entry)}: ${plan.altered.get(entry.dumpId)}`);
    } else if (
      there.length === 0 && entry.desc === "ACL" && isProject(target) && isPlatformRole(entry.owner ?? "")
    ) {
      kind.skipped.push(`${nameOf(entry)}: another role owns it here`);
    } else if (there.length === 0 && lacksExtensions && entry.desc === "ACL" && isOfMember(entry, archived)) {
      kind.skipped.push(`${nameOf(entry)}: needs a missing extension`);
    } else if (there.length === 0) kind.wrong.push(`${nameOf(entry)} is missing`);
    else if (like === undefined) {
      const words = `${nameOf(entry)}: ${difference(entry, there[0]!)}`;
      if (isProject(target) && entry.desc === "ACL" && isPlatformRole(entry.owner ?? "")) {
        kind.skipped.push(words);
      } else if (sameVersion) kind.wrong.push(words);
      else kind.unchecked.push(`another version: ${words}`);
    } else if (plan.owners && !sameOwner(entry, like, target)) {
      kind.wrong.push(`${nameOf(entry)} is owned by ${like.owner} instead of ${entry.owner}`);
    } else kind.right++;
  }
  for (const entry of plan.restored) {
    // An event trigger of the target may switch it on: no entry says that it is off.
    const key = keyOf({ ...entry, desc: ROW_SECURITY });
    if (entry.desc === "TABLE" && found.has(key) && !expected.has(key)) {
      kindOf(ROW_SECURITY).wrong.push(`${nameOf(entry)}: row level security is on, and off in the backup`);
    }
  }
  for (const entry of plan.missing.entries) {
    kindOf(entry.desc).skipped.push(`${nameOf(entry)}: needs a missing extension`);
  }
  for (const entry of plan.superuserOnly) {
    const kind = kindOf(entry.desc);
    const ofPlatform = isPlatformRole(entry.owner || "supabase_admin");
    (ofPlatform ? kind.skipped : kind.unchecked).push(`${nameOf(entry)}: only a superuser can create it`);
  }
  for (const id of plan.altered.keys()) {
    const entry = archive.entries.find(({ dumpId }) => dumpId === id)!;
    if (!DATA.has(entry.desc) && !plan.restored.includes(entry)) {
      kindOf(entry.desc).skipped.push(`${nameOf(entry)}: ${plan.altered.get(id)}`);
    }
  }
  for (const entry of wasEmpty && plan.whole ? surplus(target, dump, expected) : []) {
    if (!plan.owners && /ACL$/.test(entry.desc)) continue;
    kindOf(entry.desc).wrong.push(`${nameOf(entry)} is not in the backup`);
  }
  return [...kinds].flatMap(([desc, kind]) => checksOf(desc.toLowerCase(), kind));
}

/**
 * Names what the target has and the backup has not: grants that nobody gave, for example. Told of whole restores
 * into what was empty.
 */
function surplus(target: TargetFacts, dump: Dump, expected: ReadonlySet<string>): Entry[] {
  const own = isProject(target)
    ? classifyForProject(dump.entries).filter(({ disposition }) => disposition === "restored").map((
      { entry },
    ) => entry)
    : dump.entries.filter(({ tag }) => !/^DATABASE /.test(tag));
  return own.filter((entry) =>
    !HEADING.has(entry.desc) && !DATA.has(entry.desc) && entry.desc !== ROW_SECURITY &&
    entry.desc !== "EXTENSION" && !isOfCron(entry) &&
    !expected.has(keyOf(entry))
  );
}

function checksOf(
  desc: string,
  { right, skipped, wrong, unchecked }: {
    right: number;
    skipped: string[];
    wrong: string[];
    unchecked: string[];
  },
): Check[] {
  const what = `definitions: ${desc}`;
  return [
    ...(right > 0 ? [{ what, outcome: "passed" as const, detail: `${right} as in the backup` }] : []),
    ...(skipped.length > 0 ? [{ what, outcome: "skipped" as const, detail: listed(skipped) }] : []),
    ...(unchecked.length > 0 ? [{ what, outcome: "unchecked" as const, detail: listed(unchecked) }] : []),
    ...(wrong.length > 0 ? [{ what, outcome: "failed" as const, detail: listed(wrong) }] : []),
  ];
}

function listed(items: string[]): string {
  const more = items.length > NAMED ? `; and ${items.length - NAMED} more` : "";
  return items.slice(0, NAMED).join("; ") + more;
}

/** Default privileges are told apart by their role only. */
function keyOf({ desc, namespace, tag, owner }: Entry): string {
  return JSON.stringify([desc, namespace, tag, desc === "DEFAULT ACL" ? owner : ""]);
}

function nameOf({ namespace, tag }: Entry): string {
  return namespace === null ? tag : `${namespace}.${tag}`;
}

/** In another project the platform's role does not own what was restored: whoever restored does. */
function sameOwner(entry: Entry, like: Entry, target: TargetFacts): boolean {
  // Grants and comments have no owner of their own: it is their object's, an extension's member for example.
  if (entry.owner === like.owner || FOLLOWERS.has(entry.desc)) return true;
  return isProject(target) && like.owner === target.user && isPlatformRole(entry.owner ?? "");
}

function isProject({ kind }: TargetFacts): boolean {
  return kind === "supabase";
}

function majorOf(version: string | null): string {
  return (version ?? "").split(/[. ]/)[0]!;
}

function difference(entry: Entry, other: Entry): string {
  const [wanted, has] = meaningsOf(entry, other).map((text) => text.split("\n"));
  const line = wanted!.findIndex((text, index) => text !== has![index]);
  const at = line < 0 ? wanted!.length : line;
  const [right, wrong] = [wanted![at] ?? "", has![at] ?? ""];
  // The words in front of the difference tell where it is.
  const same = [...right].findIndex((letter, index) => letter !== wrong[index]);
  const before = (same < 0 ? right.length : same) - BEFORE;
  // Whole words, of both texts the same ones.
  const begin = before <= 0 ? 0 : right.lastIndexOf(" ", before) + 1;
  const shown = (text: string) =>
    `"${begin > 0 ? "… " : ""}${text.slice(begin, begin + SHOWN)}${text.length > begin + SHOWN ? " …" : ""}"`;
  return `${shown(wrong)} instead of ${shown(right)}`;
}
