/** Whether an address may be sent to. It is a secret: what is wrong with it is said without any of its words. */

/** `allowLoopback`: plain HTTP to this machine too, for tests. Null when the address is good. */
export function problemOf(address: string, allowLoopback: boolean): string | null {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return "it is no URL";
  }
  if (url.username !== "" || url.password !== "") return "it has a user name or password in it";
  if (url.protocol === "https:") return null;
  if (url.protocol === "http:" && allowLoopback && isLoopback(url.hostname)) return null;
  return "it does not begin with https://";
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(\.\d+){3}$/.test(host);
}
