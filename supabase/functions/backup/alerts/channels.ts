/** The channels for alerts. Secrets of the function configure them, and only this file reads those. */
import { problemOf } from "./address.ts";
import { discordBody, emailBody, slackBody, teamsBody, webhookBody } from "./bodies.ts";
import type { Message } from "./message.ts";
import { keyOf, signedHeaders } from "./signature.ts";

export type Environment = (name: string) => string | undefined;

/** What is posted. */
export interface Post {
  url: string;
  headers: Record<string, string>;
  body: string;
}

export interface Channel {
  name: "webhook" | "slack" | "discord" | "teams" | "email" | "ping";
  /** `off`: none of its variables is set; `wrong`: they are set but invalid. */
  state: "on" | "off" | "wrong";
  /** The problem, without a secret; null unless `wrong`. */
  problem: string | null;
  /** Renders a message. Called when the channel is `on`, never for `ping`, which has signals of its own. */
  render(message: Message): Post;
  /** Texts that must never be shown. */
  secrets: string[];
}

const EMAIL_API = "https://api.resend.com";

/** Returns all channels, also those that are off. */
export function readChannels(environment: Environment): Channel[] {
  const variables = (name: string) => environment(name)?.trim() ?? "";
  return [
    webhook(variables),
    chat("slack", "BACKUP_ALERT_SLACK_URL", slackBody, variables),
    chat("discord", "BACKUP_ALERT_DISCORD_URL", discordBody, variables),
    chat("teams", "BACKUP_ALERT_TEAMS_URL", teamsBody, variables),
    email(variables),
    chat("ping", "BACKUP_PING_URL", () => ({}), variables),
  ];
}

type Variables = (name: string) => string;

/** For tests only: lets alerts go to this machine without TLS. */
const allowLoopback = (variables: Variables) => variables("BACKUP_ALERT_ALLOW_LOOPBACK") === "true";

function webhook(variables: Variables): Channel {
  const [url, secret] = [variables("BACKUP_ALERT_WEBHOOK_URL"), variables("BACKUP_ALERT_WEBHOOK_SECRET")];
  const key = keyOf(secret);
  const problems = [
    missing("BACKUP_ALERT_WEBHOOK_URL", url) ?? wrongAddress("BACKUP_ALERT_WEBHOOK_URL", url, variables),
    missing("BACKUP_ALERT_WEBHOOK_SECRET", secret) ??
      (key === null
        ? "BACKUP_ALERT_WEBHOOK_SECRET is not valid: it must be whsec_ and the base64 of 24 to 64 bytes"
        : null),
  ];
  return channel("webhook", [url, secret], problems, (message) => {
    const body = webhookBody(message);
    return { url, headers: signedHeaders(message.id, body, key!, new Date()), body };
  });
}

/** Returns a channel whose only variable is its address. */
function chat(
  name: Channel["name"],
  variable: string,
  render: (message: Message) => unknown,
  variables: Variables,
): Channel {
  const url = variables(variable);
  return channel(name, [url], [wrongAddress(variable, url, variables)], (message) => ({
    url,
    headers: {},
    body: JSON.stringify(render(message)),
  }));
}

function email(variables: Variables): Channel {
  const key = variables("RESEND_API_KEY");
  const from = variables("BACKUP_ALERT_EMAIL_FROM");
  const to = variables("BACKUP_ALERT_EMAIL_TO").split(",").map((address) => address.trim()).filter(Boolean);
  // The project may use Resend for other mail: the key alone does not enable alerts.
  const own = [from, to.join()].some(Boolean) ? [key, from, to.join()] : [];
  const api = variables("BACKUP_ALERT_EMAIL_API") || EMAIL_API;
  const problems = [
    missing("RESEND_API_KEY", key),
    missing("BACKUP_ALERT_EMAIL_FROM", from),
    missing("BACKUP_ALERT_EMAIL_TO", to.join()),
    [from, ...to].every((address) => address === "" || address.includes("@"))
      ? null
      : "an address in BACKUP_ALERT_EMAIL_FROM or _TO has no @",
    wrongAddress("BACKUP_ALERT_EMAIL_API", api, variables),
  ];
  return channel("email", own, problems, (message) => ({
    url: `${api.replace(/\/+$/, "")}/emails`,
    headers: { authorization: `Bearer ${key}`, "idempotency-key": message.id },
    body: JSON.stringify({ from, to, ...emailBody(message) }),
  }));
}

function channel(
  name: Channel["name"],
  values: string[],
  problems: (string | null)[],
  render: (message: Message) => Post,
): Channel {
  const secrets = values.filter(Boolean);
  const problem = secrets.length === 0 ? null : problems.find((found) => found !== null) ?? null;
  const state = secrets.length === 0 ? "off" : problem === null ? "on" : "wrong";
  return { name, state, problem, render, secrets };
}

function missing(variable: string, value: string): string | null {
  return value === "" ? `${variable} is not set` : null;
}

function wrongAddress(variable: string, address: string, variables: Variables): string | null {
  const problem = problemOf(address, allowLoopback(variables));
  return problem === null ? null : `${variable} is not a valid address: ${problem}`;
}
