/** What the alerts ask of the database and tell it: one function for each verb of schemas/backup/alerts_told.sql. */
import type { Session } from "../postgres/session.ts";
import type { Channel } from "./channels.ts";
import type { Event } from "./message.ts";
import type { Attempt } from "./send.ts";

/** An event, and the channels that it is due on. */
export interface Due {
  event: Event;
  channels: { name: string; told: number; failed: number }[];
}

/** False for anything but an unused, unexpired token of a call for alerts, which is used up by this. */
export async function redeemForAlerts(control: Session, token: string): Promise<boolean> {
  const [row] = await control.sql<{ good: boolean }[]>`select backup._redeem_for_alerts(${token}) as good`;
  return row!.good;
}

/** Tells the database which channels there are; addresses and keys stay here. */
export async function reportChannels(control: Session, channels: Channel[]): Promise<void> {
  const report = JSON.stringify(channels.map(({ name, state, problem }) => ({ name, state, problem })));
  await control.sql`select backup._report_channels(${report}::text::jsonb)`;
}

/** Held until the session ends: two invocations must not tell the same. False when another one has it. */
export async function takeTurn(control: Session): Promise<boolean> {
  const [row] = await control.sql<
    { taken: boolean }[]
  >`select pg_catalog.pg_try_advisory_lock(pg_catalog.hashtext('backup.alerts')) as taken`;
  return row!.taken;
}

/** The oldest event that is due; null when there is none. */
export async function nextDue(control: Session): Promise<Due | null> {
  const [row] = await control.sql<{ due: Due | null }[]>`select backup._next_alert() as due`;
  return row!.due;
}

/** Keeps an attempt; `event` is null for a test. */
export async function keepAttempt(
  control: Session,
  event: number | null,
  channel: string,
  number: number,
  attempt: Attempt,
): Promise<void> {
  const kept = JSON.stringify({ channel, attempt: number, ...attempt });
  await control.sql`select backup._alerted(${event}::bigint, ${kept}::text::jsonb)`;
}
