/** What a running stack tells: people on the terminal, other commands in `.stack/status.json`. */
import type { ProjectKeys } from "./keys.ts";

export interface StackStatus extends ProjectKeys {
  apiUrl: string;
  /** Role `postgres`. */
  databaseUrl: string;
  /** Role `supabase_admin`. */
  superuserUrl: string;
  pid: number;
  startedAt: string;
}

/** Beside package.json. */
export const STATUS_FILE = new URL("../.stack/status.json", import.meta.url);

/** Lines as `supabase status` has them. */
export function renderStatus(status: StackStatus): string {
  const lines = {
    "API URL": status.apiUrl,
    "Functions URL": `${status.apiUrl}/functions/v1`,
    "Storage URL": `${status.apiUrl}/storage/v1`,
    "DB URL": status.databaseUrl,
    "DB URL (superuser)": status.superuserUrl,
    "Publishable key": status.publishableKey,
    "Secret key": status.secretKey,
    "JWT secret": status.jwtSecret,
    "anon key": status.anonKey,
    "service_role key": status.serviceRoleKey,
  };
  const width = Math.max(...Object.keys(lines).map((name) => name.length));
  return Object.entries(lines).map(([name, value]) => `${name.padStart(width)}: ${value}`).join("\n");
}

/**
 * Writes the status for other commands, readable by this account only; of two stacks the newest wins. Returns how to
 * take it back, which leaves the file alone when it is another stack's by then.
 */
export async function publishStatus(status: StackStatus, file: URL): Promise<() => Promise<void>> {
  const text = JSON.stringify(status, null, 2) + "\n";
  await Deno.mkdir(new URL(".", file), { recursive: true });
  // Renamed into place, so that no reader sees half of it.
  const fresh = new URL(`status-${status.pid}.json`, file);
  await Deno.writeTextFile(fresh, text, { mode: 0o600 });
  await Deno.rename(fresh, file);
  return async () => {
    const found = await Deno.readTextFile(file).catch(() => null);
    if (found === text) await Deno.remove(file);
  };
}
