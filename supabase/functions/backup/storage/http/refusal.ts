/** The reason in an answer that Storage itself did not write: a page or a line of what stands before it. */

const LONGEST = 200;

/** Cloudflare's own refusals; 1010 is that of a browser check, which wants a User-Agent. */
const CLOUDFLARE = /\berror code: 1\d{3}\b/i;

/** Returns the text of an answer in one line, without markup. */
export async function reasonOf(answer: Response): Promise<string> {
  return textOf(await answer.text().catch(() => ""));
}

/** Returns a text in one line, without markup, its beginning if it is long. */
export function textOf(body: string): string {
  const text = body.replace(/<(style|script)[\s>].*?<\/\1>/gis, " ").replace(/<[^>]*>/g, " ");
  return text.replace(/\s+/g, " ").trim().slice(0, LONGEST);
}

/** Returns what to do about a refusal of Cloudflare, which says nothing about keys; null for any other reason. */
export function cloudflareHint(reason: string): string | null {
  if (!CLOUDFLARE.test(reason)) return null;
  return "Cloudflare refused the request before it reached the service; the key is not the reason. " +
    "Ask the service's support about this code.";
}
