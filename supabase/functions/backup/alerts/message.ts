/** Describes an event in words, the same for every channel. */
import { visible } from "../visible_text.ts";

export interface Reason {
  code: string;
  severity: "failing" | "warning" | "info";
  message: string;
  hint: string | null;
}

/** A row of `backup.events`. */
export interface Event {
  id: number;
  noticed_at: string;
  verdict: Verdict;
  previous_verdict: Verdict | null;
  reasons: Reason[];
}

export type Verdict = "ok" | "warning" | "failing";

export interface Message {
  /** The same for each attempt to deliver this on one channel: receivers may drop a duplicate. */
  id: string;
  kind: Verdict | "test";
  /** When it happened, in ISO form. */
  at: string;
  /** Host of the project. */
  project: string;
  title: string;
  /** Lines of plain text: the reasons, with hints. */
  lines: string[];
  reminder: boolean;
  /** Null for a test. */
  event: Event | null;
}

/** Returns the message of an event that the channel has had `told` times before. */
export function messageOf(event: Event, told: number, project: string): Message {
  const grave = event.reasons.filter(({ severity }) => severity !== "info");
  const since = `since ${event.noticed_at.slice(0, 16).replace("T", " ")} UTC`;
  const titles: Record<Verdict, string> = {
    ok: "backups recovered",
    warning: "backups need attention",
    failing: told > 0 ? `backups are still failing, ${since}` : "backups are failing",
  };
  return {
    // A restored database counts events from an older number; the instant distinguishes them.
    id: `backup-event-${event.id}-${Date.parse(event.noticed_at)}-${told}`,
    kind: event.verdict,
    at: new Date(event.noticed_at).toISOString(),
    project,
    title: `${project}: ${titles[event.verdict]}`,
    lines: grave.length === 0
      ? [`Noticed ${since.slice("since ".length)}. The state before was: ${event.previous_verdict}.`]
      : grave.map(({ severity, message, hint }) =>
        `${severity}: ${visible(message)}${
          hint === null || hint === "" ? "" : `\nWhat to do: ${visible(hint)}`
        }`
      ),
    reminder: told > 0,
    event,
  };
}

export function testMessage(project: string): Message {
  return {
    id: `backup-test-${crypto.randomUUID()}`,
    kind: "test",
    at: new Date().toISOString(),
    project,
    title: `${project}: test alert`,
    lines: ["This is a test notification; no action is needed."],
    reminder: false,
    event: null,
  };
}

/** Returns at most `length` characters (UTF-16 units, as Slack and Discord count), with an ellipsis for the rest. */
export function shortened(text: string, length: number): string {
  if (text.length <= length) return text;
  // Not in the middle of a surrogate pair.
  return `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
