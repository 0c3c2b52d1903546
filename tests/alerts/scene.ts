/** A project with every channel for alerts set up, all of them at one receiver. */
import { type Project, startProject, until } from "../e2e/project.ts";
import { type Received, type Receiver, startReceiver } from "./receiver.ts";

export const WEBHOOK_KEY = crypto.getRandomValues(new Uint8Array(32));
/** Part of every address and key: it must appear nowhere. */
export const HUSH = "hush-hush-hush";

/** Path of each channel at the receiver; the mail API adds its own. */
const PATHS = {
  webhook: `/webhook/${HUSH}`,
  slack: `/slack/${HUSH}`,
  discord: `/discord/${HUSH}`,
  teams: `/teams/${HUSH}`,
  email: "/mail/emails",
};
export type Name = keyof typeof PATHS;
export const NAMES = Object.keys(PATHS) as Name[];
const PING = `/ping/${HUSH}`;

export interface Told extends Project {
  receiver: Receiver;
  /** What a channel has got since the last `forget()`. */
  on(name: Name): Received[];
  /** Signals since then, with their texts. */
  pings(): string[];
  forget(): void;
  /** Waits until every channel has got so many messages since then, and no call for alerts is under way. */
  toldOnAll(count: number): Promise<void>;
  /** Resolves when every call for alerts so far is answered and no session tells any more. */
  quiet(): Promise<void>;
  /** A run whose uploads are refused for good; it fails within its first attempt. */
  failRun(): Promise<number>;
}

export const isAlertCall = (request: Request) =>
  request.headers.get("x-backup-token")?.startsWith("alert-") ?? false;

export async function startTold(): Promise<Told> {
  const receiver = startReceiver();
  const address = (name: Name) => receiver.url + PATHS[name];
  const project = await startProject({
    secrets: {
      BACKUP_ALERT_WEBHOOK_URL: address("webhook"),
      BACKUP_ALERT_WEBHOOK_SECRET: `whsec_${btoa(String.fromCharCode(...WEBHOOK_KEY))}`,
      BACKUP_ALERT_SLACK_URL: address("slack"),
      BACKUP_ALERT_DISCORD_URL: address("discord"),
      BACKUP_ALERT_TEAMS_URL: address("teams"),
      RESEND_API_KEY: `re_${HUSH}`,
      BACKUP_ALERT_EMAIL_FROM: "backups@example.org",
      BACKUP_ALERT_EMAIL_TO: "owner@example.org",
      BACKUP_ALERT_EMAIL_API: `${receiver.url}/mail`,
      BACKUP_PING_URL: receiver.url + PING,
      BACKUP_ALERT_ALLOW_LOOPBACK: "true",
    },
  });
  const { sql, superuser, ended } = project;
  const end = project[Symbol.asyncDispose];
  // Where the backups are copied to is another matter; undecided, it is a warning.
  await sql`select backup.configure(second_copy => 'none')`;

  const told: Told = Object.assign(project, {
    receiver,
    on: (name: Name) => receiver.at(PATHS[name]),
    pings: () =>
      receiver.received.filter(({ path }) => path.startsWith(PING))
        .map(({ path, body }) => `${path.slice(PING.length + 1) || "success"}: ${body}`),
    forget: () => void (receiver.received.length = 0),
    async toldOnAll(count: number) {
      await until(
        `each channel was told ${count} times`,
        () => Promise.resolve(NAMES.every((name) => told.on(name).length >= count) || null),
      );
      await told.quiet();
    },
    async quiet() {
      await until("all alerts are delivered", async () => {
        const [row] = await superuser`
          select from backup.calls c
          where c.purpose = 'alert' and c.worker is null
            and (c.used_at is not null
              or not exists (select from net._http_response r where r.id = c.request_id and r.created > c.created_at - interval '1 minute'))
          union all
          select from pg_stat_activity where application_name = 'supabase-backup alerts'`;
        return row === undefined ? true : null;
      });
    },
    async failRun() {
      told.fault = (request: Request) =>
        new URL(request.url).pathname.startsWith("/storage/v1/")
          ? new Response("full", { status: 413 })
          : null;
      const [row] = await sql<{ id: number }[]>`select backup.start()::int as id`;
      const run = await ended(row!.id);
      told.fault = null;
      if (run.status !== "failed") throw new Error(`the run was to fail: ${JSON.stringify(run)}`);
      return run.id;
    },
    async [Symbol.asyncDispose]() {
      await end();
      await receiver[Symbol.asyncDispose]();
    },
  });
  return told;
}
