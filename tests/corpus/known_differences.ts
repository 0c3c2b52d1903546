/** Cases that are known to fail, with the reason. A case that is listed here and passes fails the run. */
export const KNOWN_DIFFERENCES: Readonly<Record<string, string>> = {};
