/** What `doctor` says of one thing that must be right. */
export interface Finding {
  check: string;
  state: "ok" | "warning" | "failed";
  message: string;
  /** The command that mends it, or what a person has to do; "" where nothing is to be done. */
  fix: string;
}

export const ok = (check: string, message: string): Finding => ({ check, state: "ok", message, fix: "" });
export const warning = (check: string, message: string, fix: string): Finding => ({
  check,
  state: "warning",
  message,
  fix,
});
export const failed = (check: string, message: string, fix: string): Finding => ({
  check,
  state: "failed",
  message,
  fix,
});
