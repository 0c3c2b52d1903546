/**
 * `npm run docs`: writes the list of SQL functions in docs/design.md from the comments in the catalog of a database
 * that has the migrations. A guard compares (tests/sql/backup_test.ts).
 */
import postgres from "postgres";
import { startProjectDatabase } from "../stack/postgres/project.ts";
import { readMigrations } from "./frozen.ts";

export const DESIGN = new URL("../docs/design.md", import.meta.url);

const BEGIN = "<!-- Written by `npm run docs`. -->\n";
const END = "<!-- End of what `npm run docs` writes. -->\n";

const WIDTH = 118;

/** What is longer than this is not worth reading in a list. */
const LONGEST_ARGUMENTS = 80;

interface SqlFunction {
  name: string;
  arguments: string[] | null;
  audience: "service_role" | "owner" | "function";
  comment: string;
}

const TITLES: Record<SqlFunction["audience"], string> = {
  service_role: "For people, as `postgres` or with the service key:",
  owner: "For people and pg_cron, as `postgres` alone:",
  function: "Private, for the Edge Function and for each other:",
};

/** Returns the functions of the schema `backup` as Markdown lists. */
export async function listFunctions(sql: postgres.Sql): Promise<string> {
  const functions = await sql<SqlFunction[]>`
    select
      p.proname as name,
      p.proargnames[1:p.pronargs] as arguments,
      case
        when has_function_privilege('service_role', p.oid, 'execute') then 'service_role'
        when p.proname like '\\_%' then 'function'
        else 'owner'
      end as audience,
      obj_description(p.oid, 'pg_proc') as comment
    from pg_proc p
    where p.pronamespace = 'backup'::regnamespace and p.prorettype <> 'trigger'::regtype
    order by p.proname`;
  return Object.entries(TITLES).map(([audience, title]) => {
    const items = functions.filter((one) => one.audience === audience).map(item);
    return `${title}\n\n${items.join("\n")}\n`;
  }).join("\n");
}

function item({ name, arguments: args, comment }: SqlFunction): string {
  const inside = (args ?? []).join(", ");
  return wrap(
    `- \`${name}(${inside.length > LONGEST_ARGUMENTS ? "setting => value, …" : inside})\`: ${comment}`,
  );
}

/** Breaks a list item at blanks. */
function wrap(text: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line !== "" && line.length + 1 + word.length > WIDTH) lines.push(`  ${word}`);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.join("\n");
}

/** Returns the document with this list. Throws when it has no place for it. */
export function withList(document: string, list: string): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`docs/design.md has no lines ${BEGIN}${END}`);
  return `${document.slice(0, begin + BEGIN.length)}\n${list}\n${document.slice(end)}`;
}

if (import.meta.main) {
  const database = await startProjectDatabase();
  const sql = postgres(database.url, { max: 1, onnotice: () => {} });
  try {
    for (const text of (await readMigrations()).values()) {
      await sql.begin((transaction) => transaction.unsafe(text).simple());
    }
    const document = await Deno.readTextFile(DESIGN);
    await Deno.writeTextFile(DESIGN, withList(document, await listFunctions(sql)));
  } finally {
    await sql.end();
    await database.stop();
  }
}
