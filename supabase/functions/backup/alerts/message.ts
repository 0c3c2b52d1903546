/** An event in words, the same for every channel. */

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
  /** The same for each attempt to tell this on one channel: receivers may drop a second one. */
  id: string;
  kind: Verdict | "test";
  /** When it happened, in ISO form. */
  at: string;
  /** Host of the project. */
  project: string;
  title: string;
  /** Lines of plain text: reasons with what to do. */
  lines: string[];
  reminder: boolean;
  /** Null for a test. */
  event: Event | null;
}

/** `told`: how often the channel was told of the event before. */
export function messageOf(event: Event, told: number, project: string): Message {
  const grave = event.reasons.filter(({ severity }) => severity !== "info");
  const since = `since ${event.noticed_at.slice(0, 16).replace("T", " ")} UTC`;
  const titles: Record<Verdict, string> = {
    ok: "the backups are well again",
    warning: "the backups need a look",
    failing: told > 0 ? `the backups still fail, ${since}` : "the backups fail",
  };
  return {
    // A restored database counts events anew; the instant tells them apart.
    id: `backup-event-${event.id}-${Date.parse(event.noticed_at)}-${told}`,
    kind: event.verdict,
    at: new Date(event.noticed_at).toISOString(),
    project,
    title: `${project}: ${titles[event.verdict]}`,
    lines: grave.length === 0
      ? [`Noticed ${since.slice("since ".length)}. Before it was: ${event.previous_verdict}.`]
      : grave.map(({ severity, message, hint }) =>
        `${severity}: ${message}${hint === null || hint === "" ? "" : `\nWhat to do: ${hint}`}`
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
    title: `${project}: a test of the alerts`,
    lines: ["Somebody has asked for it. Nothing is wrong with the backups because of this."],
    reminder: false,
    event: null,
  };
}

/** At most `length` characters (UTF-16 units, as Slack and Discord count), an ellipsis in place of the rest. */
export function shortened(text: string, length: number): string {
  if (text.length <= length) return text;
  // Not in the middle of a surrogate pair.
  return `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
