/** Renders a message in the form of each receiver, within its limits. */
import { markdown } from "../visible_text.ts";
import { type Message, shortened } from "./message.ts";

/** Names in a message are a user's: in Markdown one could be a link. */
function asMarkdown(text: string): string {
  return text.split("\n").map(markdown).join("\n");
}

/** Standard Webhooks: type, timestamp of the event, data. */
export function webhookBody({ kind, at, project, title, reminder, event }: Message): string {
  return JSON.stringify({
    type: `backup.${kind}`,
    timestamp: at,
    data: {
      project,
      title,
      ...(event === null ? {} : {
        event: event.id,
        noticed_at: event.noticed_at,
        verdict: event.verdict,
        previous_verdict: event.previous_verdict,
        reminder,
        reasons: event.reasons,
      }),
    },
  });
}

/** Slack's incoming webhooks: its markup uses these three characters; escaped, a message cannot call @channel. */
export function slackBody({ kind, title, lines }: Message): unknown {
  const plain = (text: string) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  return { text: shortened([`${SIGNS[kind]} *${plain(title)}*`, ...lines.map(plain)].join("\n"), 3000) };
}

/** Discord's webhooks: an embed, in which mentions do not work; its limits are 256 and 4096. */
export function discordBody({ kind, title, lines }: Message): unknown {
  return {
    allowed_mentions: { parse: [] },
    embeds: [{
      title: shortened(asMarkdown(title), 256),
      description: shortened(asMarkdown(lines.join("\n\n")), 4096),
      color: COLORS[kind],
    }],
  };
}

/** Teams' workflow webhooks: a message with one adaptive card. */
export function teamsBody({ kind, title, lines }: Message): unknown {
  const block = (text: string, more = {}) => ({
    type: "TextBlock",
    wrap: true,
    text: shortened(asMarkdown(text), 2000),
    ...more,
  });
  return {
    type: "message",
    attachments: [{
      contentType: "application/vnd.microsoft.card.adaptive",
      content: {
        $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
        type: "AdaptiveCard",
        version: "1.4",
        body: [
          block(title, { weight: "Bolder", size: "Medium", color: CARD_COLORS[kind] }),
          // A card of 28 KB is Teams' limit.
          ...lines.slice(0, 8).map((line) => block(line)),
        ],
      },
    }],
  };
}

export function emailBody({ title, lines }: Message): { subject: string; text: string } {
  return { subject: shortened(title.replace(/\s+/g, " "), 200), text: lines.join("\n\n") };
}

const SIGNS: Record<Message["kind"], string> = { ok: "✅", warning: "⚠️", failing: "❌", test: "🔔" };
const COLORS: Record<Message["kind"], number> = {
  ok: 0x2e7d32,
  warning: 0xf9a825,
  failing: 0xc62828,
  test: 0x1565c0,
};
const CARD_COLORS: Record<Message["kind"], string> = {
  ok: "Good",
  warning: "Warning",
  failing: "Attention",
  test: "Accent",
};
