/** Checks an address for alerts. It is a secret, so the problem is described without any part of it. */

/** Returns the problem of an address, or null. With `allowLoopback` plain HTTP to this machine is valid, for tests. */
export function problemOf(address: string, allowLoopback: boolean): string | null {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return "it is not a valid URL";
  }
  if (url.username !== "" || url.password !== "") return "it has a user name or password in it";
  if (url.protocol === "https:") return null;
  if (url.protocol === "http:" && allowLoopback && isLoopback(url.hostname)) return null;
  return "it does not begin with https://";
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(\.\d+){3}$/.test(host);
}
