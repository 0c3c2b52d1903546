/**
 * Signals in the form of healthchecks.io: an outside monitor that expects them raises the alarm when they are missing.
 */
import { type Environment, readChannels } from "./channels.ts";
import { type Attempt, send, type Sending } from "./send.ts";

/** `log` changes nothing at the monitor: it is for tests. */
export type Signal = "start" | "success" | "fail" | "log";

/** One retry, soon: a worker waits for it. */
const WAITS_MS = [500];
const TEXT_LENGTH = 1000;

/** Sends a signal; returns null when BACKUP_PING_URL is not set or invalid. Never throws. */
export async function ping(
  environment: Environment,
  signal: Signal,
  text: string,
  sending: Sending = {},
): Promise<Attempt | null> {
  const channel = readChannels(environment).find(({ name }) => name === "ping")!;
  if (channel.state !== "on") return null;
  const post = {
    url: addressOf(channel.secrets[0]!, signal),
    headers: { "content-type": "text/plain; charset=utf-8" },
    body: text.slice(0, TEXT_LENGTH),
  };
  return await send(channel, () => post, { waitsMs: WAITS_MS, ...sending });
}

function addressOf(base: string, signal: Signal): string {
  const url = new URL(base);
  if (signal !== "success") url.pathname = `${url.pathname.replace(/\/+$/, "")}/${signal}`;
  return url.href;
}
