/** Delivers the alerts that are due, and tests of the channels. */
import type { Session } from "../postgres/session.ts";
import { type Channel, type Environment, readChannels } from "./channels.ts";
import { type Due, keepAttempt, nextDue, reportChannels, takeTurn } from "./alert_queue.ts";
import { type Message, messageOf, testMessage } from "./message.ts";
import { ping } from "./ping.ts";
import { type Attempt, send, type Sending } from "./send.ts";

/** No further event begins after this time; one takes at most twenty seconds. */
const LONGEST_MS = 60_000;

/**
 * Delivers every event that is due, oldest first, on all channels at once. Does nothing while another invocation
 * delivers.
 */
export async function deliverDue(
  control: Session,
  environment: Environment,
  sending: Sending = {},
): Promise<void> {
  const channels = readChannels(environment);
  await reportChannels(control, channels);
  if (!await takeTurn(control)) return;
  const end = Date.now() + LONGEST_MS;
  for (let due = await nextDue(control); due !== null; due = await nextDue(control)) {
    await deliverEvent(control, channels, due, projectOf(environment), sending);
    if (Date.now() > end) return;
  }
}

async function deliverEvent(
  control: Session,
  channels: Channel[],
  { event, channels: due }: Due,
  project: string,
  sending: Sending,
): Promise<void> {
  await Promise.all(due.map(async ({ name, told, failed }) => {
    const channel = channels.find((known) => known.name === name)!;
    await sendKept(control, channel, messageOf(event, told, project), failed, sending);
  }));
}

async function sendKept(
  control: Session,
  channel: Channel,
  message: Message,
  failedBefore: number,
  sending: Sending,
): Promise<Attempt> {
  let number = failedBefore;
  return await send(channel, () => channel.render(message), {
    ...sending,
    onAttempt: (attempt) => keepAttempt(control, message.event?.id ?? null, channel.name, ++number, attempt),
  });
}

/** The result of a test on one channel; `outcome` is null where nothing was sent. */
export interface Tested {
  channel: string;
  state: Channel["state"];
  outcome: Attempt["outcome"] | null;
  status: number | null;
  error: string | null;
  milliseconds: number | null;
}

/** Sends a test on every channel that is on; its ping changes nothing outside. */
export async function testAlerts(
  control: Session,
  environment: Environment,
  sending: Sending = {},
): Promise<Tested[]> {
  const channels = readChannels(environment);
  await reportChannels(control, channels);
  const message = testMessage(projectOf(environment));
  return await Promise.all(channels.map(async (channel) => {
    const { name, state, problem } = channel;
    const attempt = state !== "on"
      ? null
      : name === "ping"
      ? await ping(environment, "log", message.title, sending)
      : await sendKept(control, channel, message, 0, sending);
    const nothing = { outcome: null, status: null, error: problem, milliseconds: null };
    return { channel: name, state, ...(attempt ?? nothing) };
  }));
}

/** Returns the project's name for messages: the host of its API. */
function projectOf(environment: Environment): string {
  const url = environment("SUPABASE_URL") ?? "";
  return URL.canParse(url) ? new URL(url).host : "this project";
}
