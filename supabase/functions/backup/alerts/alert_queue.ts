/** The database's queue of alerts: one function for each verb of schemas/backup/alert_verbs.sql. */
import type { Session } from "../postgres/session.ts";
import type { Channel } from "./channels.ts";
import type { Event } from "./message.ts";
import type { Attempt } from "./send.ts";

/** An event, and the channels that it is due on. */
export interface Due {
  event: Event;
  channels: { name: string; told: number; failed: number }[];
}

/** Reports the channels to the database; addresses and keys stay here. */
export async function reportChannels(control: Session, channels: Channel[]): Promise<void> {
  const report = JSON.stringify(channels.map(({ name, state, problem }) => ({ name, state, problem })));
  await control.sql`select backup._report_channels(${report}::pg_catalog.text::pg_catalog.jsonb)`;
}

/** Takes the turn to send alerts, which ends with the session; false while another invocation has it. */
export async function takeTurn(control: Session): Promise<boolean> {
  const [row] = await control.sql<{ taken: boolean }[]>`
    select backup._take_turn('alert', ${crypto.randomUUID()}::pg_catalog.uuid) as taken`;
  return row!.taken;
}

/** Returns the oldest event that is due; null when there is none. */
export async function nextDue(control: Session): Promise<Due | null> {
  const [row] = await control.sql<{ due: Due | null }[]>`select backup._next_alert() as due`;
  return row!.due;
}

/** Records an attempt; `event` is null for a test. */
export async function keepAttempt(
  control: Session,
  event: number | null,
  channel: string,
  number: number,
  attempt: Attempt,
): Promise<void> {
  const kept = JSON.stringify({ channel, attempt: number, ...attempt });
  await control
    .sql`select backup._record_alert(${event}::bigint, ${kept}::pg_catalog.text::pg_catalog.jsonb)`;
}
