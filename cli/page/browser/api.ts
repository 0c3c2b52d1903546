/** Asks the program that serves the page. */
/** What failed, and what to do. */
export interface Failure {
  message: string;
  hint: string;
}

/** Returns an answer's JSON. Throws Failure. */
export async function ask<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await fetch(`api/${path}`, signal ? { signal } : {}).catch((error) => {
    if (signal?.aborted) throw error;
    throw gone();
  });
  if (!response.ok) throw await failureOf(response);
  return await response.json();
}

/** Calls `onMessage` with each line of an answer. Throws Failure, also for a line that tells an error. */
export async function follow(
  path: string,
  onMessage: (message: Record<string, unknown>) => void,
  { body, signal }: { body?: unknown; signal?: AbortSignal } = {},
): Promise<void> {
  const sent = body === undefined
    ? {}
    : { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  const response = await fetch(`api/${path}`, { ...sent, signal: signal ?? null }).catch((error) => {
    if (signal?.aborted) throw error;
    throw gone();
  });
  if (!response.ok) throw await failureOf(response);
  let rest = "";
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    const lines = (rest + piece.value).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const message = JSON.parse(line);
      if (message.error) throw message.error;
      onMessage(message);
    }
  }
}

/** Returns a path with its parts encoded. */
export function query(path: string, values: Record<string, string | number | readonly string[]>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one));
  }
  return `${path}?${search}`;
}

async function failureOf(response: Response): Promise<Failure> {
  return await response.json().catch(() => ({
    message: `The page's program answered ${response.status}`,
    hint: "",
  }));
}

function gone(): Failure {
  return {
    message: "The program behind this page has ended",
    hint: "Run `supabase-backup ui` again, and open the address that it prints.",
  };
}
